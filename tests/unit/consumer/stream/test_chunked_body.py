"""The framing of a chunked body: cut anyhow on its way, it gives its content, at once and in order."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.stream.chunked_body import ChunkedBody, ChunkedBodyError


class Arriving(io.BufferedIOBase):
    """A source that gives one piece at each read, as a socket does."""

    def __init__(self, *pieces):
        self.pieces = [piece for piece in pieces if piece]

    def read1(self, _size=-1):
        return self.pieces.pop(0) if self.pieces else b""


def framed(contents, trailer=b"", extension=b""):
    """Return the body that carries these contents, a chunk each."""
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(content), extension, content) for content in contents)
    return chunks + b"0\r\n" + trailer + b"\r\n"


contents = st.lists(st.binary(min_size=1, max_size=40), max_size=8)


@given(contents=contents, cuts=st.lists(st.integers(0, 400), max_size=30), extension=st.sampled_from([b"", b";a=b"]))
def test_the_content_is_the_same_however_the_body_arrives(contents, cuts, extension):
    """Cut at any places, with chunk extensions and a trailer, a body gives the content of its chunks."""
    body = framed(contents, trailer=b"Checksum: 1\r\n", extension=extension)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(places)]
    assert b"".join(ChunkedBody(Arriving(*pieces))) == b"".join(contents)


def test_all_that_has_arrived_comes_at_once():
    """A hundred chunks in one read are one piece of content."""
    lines = [b"%d\n" % number for number in range(100)]
    assert list(ChunkedBody(Arriving(framed(lines)))) == [b"".join(lines)]


def test_nothing_is_held_back_until_a_chunk_is_whole():
    """The half of a chunk that has arrived is given before the other half comes."""
    body = iter(ChunkedBody(Arriving(b"a\r\nfirst", b"again\r\n", b"0\r\n\r\n")))
    assert next(body) == b"first"
    assert next(body) == b"again"
    assert b"".join(body) == b""


@pytest.mark.parametrize("framing", [b"1;" + b"x" * 100, b"0\r\n" + b"Field: x\r\n" * 9], ids=["extension", "trailer"])
def test_framing_alone_is_a_read_without_content(framing):
    """Who reads looks after each read whether to go on, though it brings no content: framing may come in drops."""
    source = Arriving(*(bytes([byte]) for byte in framing))
    body = iter(ChunkedBody(source))
    for left in reversed(range(len(framing))):
        assert next(body) == b""
        assert len(source.pieces) == left


@given(contents=contents, data=st.data())
def test_a_body_cut_short_is_an_error(contents, data):
    """However much of a body is missing at its end, it is not taken for a whole one."""
    body = framed(contents)
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(ChunkedBodyError, match="ended within"):
        list(ChunkedBody(Arriving(body[:end])))


@pytest.mark.parametrize(
    "body",
    [b"no size\r\n", b"-1\r\n", b"0x5\r\n", b"\r\n", b"1_0\r\n", b"f" * 17 + b"\r\n", b"1\r\nab\r\n", b"5" * 5000],
)
def test_broken_framing_is_an_error(body):
    """What is no size, and a chunk longer than its size, end the connection; memory stays bounded."""
    with pytest.raises(ChunkedBodyError):
        list(ChunkedBody(Arriving(body, b"", b"0\r\n\r\n")))


def test_content_before_broken_framing_is_given():
    """What came whole before the damage, in the same read, is handed on first."""
    body = iter(ChunkedBody(Arriving(b"4\r\nwell\r\nbroken\r\n")))
    assert next(body) == b"well"
    with pytest.raises(ChunkedBodyError):
        next(body)
