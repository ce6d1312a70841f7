"""One rule of what an API token may look like, for the consumer, `set-token` and the local commands."""

from __future__ import annotations

import pytest

from common.api_token import LONGEST, MalformedTokenError, checked


@pytest.mark.parametrize("text", ["s3cret-API.token~+/=", " s3cret-API.token~+/=\r\n"])
def test_white_space_around_a_token_is_taken_away(text):
    """Editors and pasting add it."""
    assert checked(text) == "s3cret-API.token~+/="


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("Bearer s3cret", "holds spaces"),
        ("s3cret\ns3cret", "line ends"),
        ('"s3cret"', "JSON"),
        ("{s3cret}", "JSON"),
        ("s3cr\u00e9t", "no HTTP header takes"),
        ("s3cret\x7f", "no HTTP header takes"),
        ("s3cret" * LONGEST, f"expected a token of at most {LONGEST}"),
    ],
)
def test_what_is_not_a_token_is_refused_without_showing_it(text, says):
    """The message goes into logs and onto terminals."""
    with pytest.raises(MalformedTokenError, match=says) as refused:
        checked(text)
    assert "s3cr" not in str(refused.value)
