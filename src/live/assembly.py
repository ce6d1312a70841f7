"""Puts a snapshot together: blocks deflated one by one, behind a header that says where each lies."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec
from isal import isal_zlib

from live.container import RAW_DEFLATE
from live.layout import MAGIC, PREFIX, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from live.container import Header

LEVEL = 1
"""Of isal, which has no slower one that makes less of these blocks. zlib's usual one takes three times as long, a
fifth of the time of a snapshot, and 0.3 bytes an aircraft less."""

_encode = msgspec.json.Encoder().encode


def deflate(*parts: bytes) -> bytes:
    """Return the parts as one raw deflate stream, each with its own Huffman codes."""
    compressor = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, RAW_DEFLATE)
    *first, last = parts
    pieces = [
        piece for part in first for piece in (compressor.compress(part), compressor.flush(isal_zlib.Z_FULL_FLUSH))
    ]
    return b"".join((*pieces, compressor.compress(last), compressor.flush()))


def assemble(kind: int, header: Header, blocks: Iterable[bytes]) -> bytes:
    """Return a snapshot's bytes."""
    plain = _encode(header)
    packed = deflate(plain)
    return b"".join(
        (PREFIX.pack(MAGIC, VERSION, kind, 0, len(packed), len(plain), zlib.crc32(packed)), packed, *blocks)
    )
