"""Response bodies of the stream, made ahead, so that a server has nothing to do but send them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

CHUNK_BYTES = 16 * 1024
"""Of a *bulk* body: what a server sends that has much to send."""

TOKEN_LINES = 20_000
"""Lines between position tokens."""

TAIL_TOKENS = 3_000
"""Position tokens after the last line, for a client that stops at a token once it has published everything."""

_GZIP_FORMAT = 31


class Body(msgspec.Struct):
    """HTTP chunks with their framing: `frames` hold the lines; then either `end`, or `tail` one after the other."""

    frames: list[bytes]
    end: bytes
    tail: list[bytes]


def make(lines: Sequence[bytes], *, flush_lines: bool, compress: bool) -> Body:
    """Return the body for the lines: each flushed by itself (*line*), or in chunks of 16 KB (*bulk*)."""
    squeeze = _Gzip() if compress else _Plain()
    messages = _with_tokens(lines)
    pieces = (squeeze.flushed(line) for line in messages) if flush_lines else _bulk(squeeze, messages)
    frames = [_frame(piece) for piece in pieces]
    return Body(
        frames=frames,
        end=_frame(squeeze.rest()) + b"0\r\n\r\n",
        tail=[_frame(squeeze.flushed(_token(f"tail-{number}"))) for number in range(TAIL_TOKENS)],
    )


def write(body: Body, path: Path) -> None:
    """Write a body where a server can read it."""
    path.write_bytes(msgspec.msgpack.encode(body))


def read(path: Path) -> Body:
    """Read what `write` wrote."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Body)


def token(name: str) -> bytes:
    """Return a position token's line."""
    return _token(name)


def frame(data: bytes) -> bytes:
    """Return data as one HTTP chunk (RFC 9112, 7.1); nothing for no data, which would end the body."""
    return _frame(data)


class _Gzip:
    def __init__(self) -> None:
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, _GZIP_FORMAT)

    def some(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    def flushed(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def rest(self) -> bytes:
        """Return what ends the body here; more may be added to the stream all the same."""
        return self._compressor.copy().flush()


class _Plain:
    def some(self, data: bytes) -> bytes:
        return data

    flushed = some

    def rest(self) -> bytes:
        return b""


def _bulk(squeeze: _Gzip | _Plain, messages: Iterable[bytes]) -> Iterator[bytes]:
    kept = bytearray()
    for message in messages:
        kept += squeeze.some(message)
        while len(kept) >= CHUNK_BYTES:
            yield bytes(kept[:CHUNK_BYTES])
            del kept[:CHUNK_BYTES]
    yield bytes(kept) + squeeze.flushed(b"")


def _with_tokens(lines: Sequence[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines, start=1):
        yield line + b"\n"
        if number % TOKEN_LINES == 0 and number < len(lines):
            yield _token(f"after-{number}")
    yield _token("last")


def _token(name: str) -> bytes:
    return b'{"position_token":"%b"}\n' % name.encode()


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
