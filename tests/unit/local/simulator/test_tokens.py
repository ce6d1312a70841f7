"""Position tokens say where a client stands, and cannot be made up."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.tokens import Position, TokenError, TokenSealer


@given(st.integers(0, 10**12), st.integers(0, 10**13))
def test_a_token_gives_back_its_position(lines, issued_ms):
    """Whatever the position and time, opening a token gives what it was made of, by another sealer of the same feed."""
    position = Position(lines, issued_ms / 1000)
    assert TokenSealer("seed 1").open(TokenSealer("seed 1").issue(position)) == position


def test_another_feeds_token_is_refused():
    """A token of another seed or recording means another place, and is refused."""
    with pytest.raises(TokenError, match="another feed"):
        TokenSealer("seed 2").open(TokenSealer("seed 1").issue(Position(5, 1.0)))


def test_a_changed_token_is_refused():
    """Changing the position inside a token breaks its seal."""
    token = TokenSealer("seed 1").issue(Position(5, 1.0))
    forged = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).replace(b"[5,", b"[6,")
    with pytest.raises(TokenError, match="another feed"):
        TokenSealer("seed 1").open(base64.urlsafe_b64encode(forged).decode().rstrip("="))


@given(st.text(max_size=80))
def test_anything_else_is_refused(text):
    """No text but a token opens, and none makes opening fail in another way."""
    with pytest.raises(TokenError):
        TokenSealer("seed 1").open(text)
