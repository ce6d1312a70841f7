"""The updates of an event, decoded many at a time.

A call of the decoder for each record costs as much as a third of the decoding. So the records are joined, as lines, and
decoded by one call. Lines that this decoder does not take as they are, it decodes record by record instead: nothing is
read otherwise than `common.target_update.decode` would read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from common import kinesis_event
from common.target_update import TargetUpdate, UndecodableUpdateError, decode, decode_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Block = tuple[str, bytes, int]

JOINED_BYTES = 128 * 1024
"""Up to which records are joined: some 150 updates, which are still in the processor's cache when they are folded. An
envelope is longer, and joined with none."""


class Undecodable(NamedTuple):
    """An update that could not be read, in its place among the others."""

    sequence_number: str
    reason: str


def read(event: Mapping[str, Any]) -> Iterator[list[TargetUpdate] | Undecodable]:
    """Iterate over the event's updates in their order, many at a time.

    Raises
    ------
    MalformedEventError, UnknownVersionError
        As of `common.kinesis_event.blocks`.
    """
    joined: list[Block] = []
    size = 0
    for block in kinesis_event.blocks(event):
        joined.append(block)
        size += len(block[1])
        if size >= JOINED_BYTES:
            yield from _decoded(joined)
            joined.clear()
            size = 0
    if joined:
        yield from _decoded(joined)


def _decoded(blocks: Sequence[Block]) -> Iterator[list[TargetUpdate] | Undecodable]:
    updates = sum(block[2] for block in blocks)
    lines = b"".join([block[1] for block in blocks])
    # Each block a whole number of lines, and as many lines as updates: then none holds more or less than it should.
    if lines.count(b"\n") == updates and all(block[1].endswith(b"\n") for block in blocks):
        decoded = decode_lines(lines)
        if decoded is not None and len(decoded) == updates:
            yield decoded
            return
    for sequence_number, data, several in blocks:
        for line in (data,) if several == 1 else data.split(b"\n")[:-1]:
            try:
                yield [decode(line)]
            except UndecodableUpdateError as error:
                yield Undecodable(sequence_number, str(error))
