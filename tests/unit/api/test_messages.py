"""Requests and responses as API Gateway has them."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from api.messages import Request, Response


@pytest.mark.parametrize(
    ("header", "is_packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("*;q=0, gzip", True),
    ],
)
def test_a_body_is_compressed_if_the_client_takes_it(header, is_packed):
    """What is named counts before what covers everything, in any order (RFC 9110, section 12.5.3)."""
    request = Request("/targets", (), {"accept-encoding": header})
    payload = Response(HTTPStatus.OK, "application/json", b"x" * 10_000).payload(request)
    assert ("Content-Encoding" in payload["headers"]) == is_packed
    assert ("isBase64Encoded" in payload) == is_packed


def test_a_small_body_is_not_compressed():
    """It would cost more than it saves."""
    payload = Response(HTTPStatus.OK, "text/plain", b"x").payload(Request("/", (), {"accept-encoding": "gzip"}))
    assert (payload["body"], "Content-Encoding" in payload["headers"]) == ("x", False)
