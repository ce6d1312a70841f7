"""One response of the stream, once the server has agreed: its body, chunk by chunk, as blocks of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.stream.chunked_body import ChunkedBody, ChunkedBodyError
from consumer.stream.line_decoder import CorruptStreamError, Inflater, LineDecoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    from consumer.stream.http_exchange import Head
    from consumer.stream.line_decoder import OversizedLine
    from consumer.stream.redaction import Redactor

MOST_CHARACTERS = 300
"""Of what the server says in one error or status."""

CHUNK_BYTES = 64 * 1024
"""Most that is read of a body at once."""


class StreamInterruptedError(Exception):
    """The connection failed or ended: open it again, after `retry_after` seconds where the server said so."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Connection:
    """One response of the stream; iterate over `blocks`, and close it."""

    def __init__(self, source: BufferedReader, head: Head, redactor: Redactor) -> None:
        self.bytes_received = 0
        """Bytes of the body as sent, compressed ones where the body is."""
        self.ends_visibly = False
        """Whether the response, which has ended, said so itself: one cut short cannot look like it."""
        self._source = source
        self._head = head
        self._redactor = redactor

    def blocks(self) -> Iterator[list[bytes | OversizedLine]]:
        """Yield what each chunk completes as soon as it has come, if only nothing; ends where the response ends.

        Raises
        ------
        StreamInterruptedError
            It broke: reset, silent for too long, cut short, or damaged.
        """
        inflater, decoder = Inflater(), LineDecoder()
        try:
            for chunk in chunks(self._source, self._head):
                self.bytes_received += len(chunk)
                is_empty = True
                for plain in inflater.feed(chunk):
                    is_empty = False
                    yield decoder.feed(plain)
                if is_empty:
                    yield []
        except (OSError, ValueError, ChunkedBodyError, CorruptStreamError) as error:  # ValueError: closed meanwhile
            reason = self._redactor.clean(str(error), MOST_CHARACTERS)
            raise StreamInterruptedError(f"the connection broke: {reason}") from None
        self.ends_visibly = self._head.is_chunked or inflater.is_gzip or self._head.length is not None
        if not inflater.is_complete or (decoder.incomplete_bytes and not self.ends_visibly):
            raise StreamInterruptedError("the response was cut short")
        if blocks := decoder.finish():
            yield blocks

    def close(self) -> None:
        """Disconnect at once, without reading the rest."""
        self._source.close()


def chunks(source: BufferedReader, head: Head) -> Iterator[bytes]:
    """Yield what has come of a body without waiting for more, which `read(n)` would."""
    if head.is_chunked:
        yield from ChunkedBody(source)
        return
    left = head.length
    while left is None or left > 0:
        data = source.read1(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES))
        if not data:
            if left is None:
                return
            raise ChunkedBodyError("the connection ended within the body")
        left = None if left is None else left - len(data)
        yield data
