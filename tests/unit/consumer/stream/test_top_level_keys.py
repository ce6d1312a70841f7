"""The keys of a JSON object, one that is there twice named twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.stream.top_level_keys import top_level_keys

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(content=st.dictionaries(st.text(), VALUES), indent=st.none() | st.integers(0, 2), ascii_only=st.booleans())
def test_they_are_those_of_the_object_in_their_order(content, indent, ascii_only):
    """Whatever its values hold: braces, quotes and backslashes in texts, objects in objects."""
    text = json.dumps(content, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if b"\\ud" not in text and b"\xed" not in text:  # halves of surrogate pairs are refused before
        assert list(top_level_keys(text)) == list(content)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (b'{"target": {}, "target": {}}', ["target", "target"]),
        (b'{"target": {"target": 1}}', ["target"]),
        (b'{"t\\u0061rget": 1}', ["target"]),
        (b"{}", []),
    ],
)
def test_a_key_that_is_there_twice_is_named_twice(text, keys):
    """Decoders keep the last alone: an update would be lost without a word."""
    assert list(top_level_keys(text)) == keys
