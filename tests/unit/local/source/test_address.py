"""A stream's address: nothing that would send the token in the clear, and a token that is shown nowhere."""

from __future__ import annotations

import pytest

from local.source.address import StreamAddress, checked_url, read_token


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/v2/targets/stream", "http://127.0.0.1:8080/v2/targets/stream", "http://localhost/stream"],
)
def test_https_and_this_machine_are_taken(url):
    """As the template's StreamUrl takes them."""
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/stream",
        "http://localhost.example.com/stream",
        "https://user:secret@example.com/stream",
        "https://example.com/stream?token=x",
        "ftp://example.com/stream",
        "localhost:8080/v2/targets/stream",
        "https://example.com:99999/stream",
        "http://localhost:99999/stream",
        "http://localhost:0/stream",
        "https://:8080/stream",
        "https://[::1/stream",
        "https://exämple..com/stream",
        "",
    ],
)
def test_anything_else_is_refused(url):
    """The token travels with the request."""
    with pytest.raises(ValueError, match="since the API token travels with the request"):
        checked_url(url)


def test_a_token_is_read_from_a_file_and_shown_nowhere(tmp_path):
    """An address may be printed."""
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    address = StreamAddress("https://example.com", read_token(path))
    assert address.token == "s3cret"
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize("content", [b"", b'{"token": "s3cret"}', b"s3cret \xff"])
def test_a_file_that_holds_anything_else_is_refused_without_showing_it(tmp_path, content):
    """Whatever it is: it may be a token all the same."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected") as refused:
        read_token(path)
    assert "s3cret" not in str(refused.value)
