"""The keys of a JSON object in their order, one that is there twice named twice: decoders keep the last alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_ONE_KEY = re.compile(rb'\s*\{\s*"([a-z_]+)"\s*:\s*(?:"[^"\\]*+"|\{(?:[^{}"\\]++|"[^"\\]*+")*+\})\s*\}\s*').fullmatch
"""An object of one key whose value is a text or a flat object without escapes: nearly every line, at C's speed."""

_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]:]').finditer
_OPENING, _CLOSING = b"{[", b"}]"

_decode_text = msgspec.json.Decoder(str).decode


def top_level_keys(text: bytes) -> Iterator[str]:
    """Yield the keys of one JSON object, which the text is known to be."""
    if (only := _ONE_KEY(text)) is not None:
        yield only[1].decode()
        return
    depth, last = 0, b""
    for match in _TOKENS(text):
        token = match[0]
        if token in _OPENING:
            depth += 1
        elif token in _CLOSING:
            depth -= 1
        elif token != b":":
            last = token
        elif depth == 1:
            yield _decode_text(last)
