"""Whatever a client sends to the simulator: the stream, or a refusal that names the parameter."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.query import _PARAMETERS
from local.simulator.tokens import Position, TokenError, TokenSealer
from tests.fuzz import targets

values = st.text(max_size=12) | st.sampled_from(
    [
        "nan",
        "inf",
        "-inf,inf",
        "nan,nan",
        "1e999,0",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59",
        "1,2,3",
        ",",
        "٣,٤",
    ]
)
contents = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([2**64, -(10**400), "\x00"]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=5,
)


@given(
    given_values=st.lists(st.tuples(st.sampled_from(_PARAMETERS) | st.text(max_size=4), values), max_size=4),
    raw=st.text(max_size=30),
)
def test_any_query_is_read_or_refused_by_name(given_values, raw):
    """Numbers that are none, times no clock holds and unknown names raise nothing but a QueryError."""
    targets.simulator_request(urlencode(given_values, errors="replace"), raw)
    targets.simulator_request(raw, raw)


@given(content=contents, cut=st.integers(0, 3), wrapped=st.booleans())
def test_a_forged_position_token_is_refused(content, cut, wrapped):
    """Tokens of the right form and another content, or cut short, are malformed or another feed's."""
    text = json.dumps([content, content, content] if wrapped else content)
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    with pytest.raises(TokenError):
        TokenSealer("fuzzed").open(token[: len(token) - cut])


@given(at=st.integers(0, 60), character=st.characters())
def test_a_token_with_one_character_changed_is_not_another_position(at, character):
    """A token that was changed is refused, or still says what it said."""
    sealer = TokenSealer("fuzzed")
    token = sealer.issue(Position(123, 1709594645.5))
    with suppress(TokenError):
        assert sealer.open(token[:at] + character + token[at + 1 :]) == Position(123, 1709594645.5)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 50_000, "9" * 100_000, "[1,2," + "9" * 5_000 + "]"])
def test_a_token_of_any_size_and_depth_is_refused(content):
    """Neither nesting nor digits without end get through."""
    with pytest.raises(TokenError):
        TokenSealer("fuzzed").open(base64.urlsafe_b64encode(content.encode()).decode().rstrip("="))
