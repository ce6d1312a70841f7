"""The fast path from lines to messages: the results of `MessageParser.parse`, at a fraction of its cost.

A stream that catches up is thousands of target updates in a row, all written alike. They are cut out of their lines and
decoded a block at a time; whatever is unusual is left to the parser.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from common.normal_form import are_addressed, are_within_years
from consumer.stream.line_decoder import OversizedLine
from consumer.stream.messages import (
    MessageParser,
    PositionToken,
    Rejected,
    Status,
    StreamUpdate,
    are_distinct,
    decode,
    decode_leniently,
    is_utf8,
    without_mark,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_BEGINNING, _END = b'{"target":{', b"}}\n"
_BEFORE, _AFTER = len(b'{"target":'), len(b"}\n")  # what stands around the object

type MessageBatch = list[StreamUpdate] | PositionToken | Status | Rejected
"""One or more updates that follow one another, or another message."""


class BatchParser:
    """Makes messages of blocks of lines.

    `decode_update` makes an update of its object; `leniently` tries what that refuses, and may refuse it as well
    (`common.update_decoder.UpdateDecoder`: its `fast` and its `decode`).
    """

    def __init__(
        self,
        decode_update: Callable[[bytes], StreamUpdate] = decode,
        leniently: Callable[[bytes], StreamUpdate] = decode_leniently,
    ) -> None:
        self._parse = MessageParser(leniently).parse
        self._decode = decode_update

    def runs(self, blocks: Iterable[bytes | OversizedLine]) -> Iterator[MessageBatch]:
        """Yield the messages in the order of the stream, each when those before it have been acted on.

        Blank lines are left out. A run of updates ends with its block at the latest.
        """
        for block in blocks:
            if isinstance(block, OversizedLine):
                yield Rejected("too long; only its beginning is kept", block.beginning, block.length)
            elif block.isspace():  # a kilobyte on the wire may be a million of empty lines
                continue
            elif is_utf8(block):  # asked once for all lines: `isascii` looks at eight bytes at a time
                yield from self._fast(block)
            else:
                yield from self._plain(BytesIO(block))

    def updates(self, objects: Iterable[bytes]) -> Iterator[StreamUpdate]:
        """Yield the updates of JSON objects that were read before: each as it was made then.

        Raises
        ------
        ValueError
            One is no update.
        """
        for run in self.runs(b'{"target":%b}\n' % data for data in objects):
            if not isinstance(run, list):
                raise ValueError("what was published is not a target update")  # noqa: TRY004 - no type is wrong
            yield from run

    def _fast(self, block: bytes) -> Iterator[MessageBatch]:
        """Cut out a run's objects first and decode them after: two short loops take less than one long one."""
        objects: list[bytes] = []
        others: list[bytes] = []
        for line in BytesIO(block):  # finds line ends at the speed of `memchr`; `split` looks at every byte by itself
            if line.startswith(_BEGINNING) and line.endswith(_END):
                if others:
                    yield from self._plain(others)
                    others = []
                objects.append(line[_BEFORE:-_AFTER])
            else:
                if objects:
                    yield from self._updates(objects)
                    objects = []
                others.append(line)
        yield from self._updates(objects) if objects else self._plain(others)

    def _updates(self, objects: list[bytes]) -> Iterable[MessageBatch]:
        """Decode a run's objects; if one is no update, all of them go the plain way, which says what is wrong."""
        try:
            updates = list(map(self._decode, objects))
            is_plain = are_within_years(updates) and are_addressed(updates) and are_distinct(objects)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            is_plain = False
        if not is_plain:
            return self._plain(b'{"target":%b}' % data for data in objects)
        for update, data in zip(updates, objects, strict=True):
            update.data = data
        return [updates]

    def _plain(self, lines: Iterable[bytes]) -> Iterator[MessageBatch]:
        run: list[StreamUpdate] = []
        for given in lines:
            line = without_mark(given).removesuffix(b"\n")
            if not line or line.isspace():
                continue
            message = self._parse(line)
            if isinstance(message, StreamUpdate):
                run.append(message)
                continue
            if run:
                yield run
                run = []
            yield message
        if run:
            yield run
