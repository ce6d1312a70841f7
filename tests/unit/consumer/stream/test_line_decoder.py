"""Lines come out of the response whole, at once and in bounded memory, however the bytes are cut."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.stream.line_decoder import MAX_LINE_BYTES, CorruptStreamError, Inflater, LineDecoder, OversizedLine

MIB = 1024 * 1024
STEP = 64 * 1024
"""What one step of decompression gives at most, in bytes."""
GZIP = 31

texts = st.lists(
    st.sampled_from([b"\n", b"\r\n", b" ", b"{", b"\x1f", b"\x8b", b"ab", b"\xff"]) | st.binary(max_size=9)
)
bodies = texts.map(b"".join).filter(lambda body: not body.startswith(b"\x1f\x8b"))
cuts = st.lists(st.integers(0, 400), max_size=12)


def pieces(body, places):
    """The body, cut at these places."""
    ends = sorted({min(place, len(body)) for place in places} | {0, len(body)})
    return [body[start:end] for start, end in pairwise(ends)]


def lines_of(body):
    """What a plain split gives: complete lines that are not blank."""
    return [line for line in body.split(b"\n")[:-1] if line.strip()]


def in_lines(blocks):
    """The lines of blocks that are not blank, without their line ends; each block must end with its last line."""
    out = []
    for block in blocks:
        if isinstance(block, OversizedLine):
            out.append(block)
        else:
            assert block.endswith(b"\n")
            out += lines_of(block)
    return out


def decoded(chunks):
    """The lines that come out, one list for each chunk that went in."""
    inflater, decoder = Inflater(), LineDecoder()
    return [in_lines(block for plain in inflater.feed(chunk) for block in decoder.feed(plain)) for chunk in chunks]


def flushed_gzip(parts, *, members=1):
    """The parts in gzip as the API sends it, flushed after each; returns the bytes up to each flush, and the last."""
    sent = []
    for member in range(members):
        compressor = zlib.compressobj(6, zlib.DEFLATED, GZIP)
        sent += [compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH) for part in parts[member::members]]
        sent.append(compressor.flush())
    return sent


@given(body=bodies, places=cuts)
def test_plain_bytes_cut_anyhow_give_the_lines_of_a_plain_split(body, places):
    """Where a plain body is cut into chunks changes nothing about its lines."""
    assert list(chain.from_iterable(decoded(pieces(body, places)))) == lines_of(body)


@given(body=bodies, places=cuts)
def test_every_line_comes_out_with_the_chunk_that_completes_it(body, places):
    """After each chunk exactly the lines complete by then are out: none is held back for more bytes."""
    chunks = pieces(body, places)
    seen, out = b"", []
    for chunk, lines in zip(chunks, decoded(chunks), strict=True):
        seen, out = seen + chunk, out + lines
        assert out == lines_of(seen)


@given(parts=st.lists(texts.map(b"".join), min_size=1, max_size=6), members=st.integers(1, 3), places=cuts)
def test_gzip_cut_anyhow_gives_the_lines_of_a_plain_split(parts, members, places):
    """A gzip body of one or several members, flushed as it goes and cut anywhere, gives the lines of its content."""
    sent = flushed_gzip(parts, members=members)
    content = b"".join(part for member in range(members) for part in parts[member::members])
    assert list(chain.from_iterable(decoded(pieces(b"".join(sent), places)))) == lines_of(content)


@given(parts=st.lists(texts.map(lambda text: b"".join(text) + b"\n"), min_size=1, max_size=6))
def test_a_line_flushed_by_the_server_comes_out_with_that_flush(parts):
    """Each flush of a gzip body gives its lines at once, although the body goes on."""
    assert decoded(flushed_gzip(parts))[: len(parts)] == [lines_of(part) for part in parts]


def test_a_step_of_decompression_that_is_full_holds_nothing_back():
    """The last bytes of a line come out although they follow exactly as much output as one step gives."""
    for length in range(STEP - 3, STEP + 270, 21):
        flushed = flushed_gzip([b"a" * length + b"\n"])[0]
        assert sum(map(len, Inflater().feed(flushed))) == length + 1


@pytest.mark.parametrize("length", [STEP - 1, STEP, STEP + 1, 2 * STEP, MIB])
def test_a_gzip_body_is_complete_whatever_its_length(length):
    """A member that ends exactly where a step of decompression does is as complete as any other."""
    inflater = Inflater()
    assert sum(map(len, inflater.feed(gzip.compress(b"a" * length)))) == length
    assert inflater.is_complete


def test_the_line_end_of_windows_is_left_to_the_json_parser():
    """A carriage return stays in its line, as JSON takes it for a blank; a line of nothing else is blank."""
    assert decoded([b'{"a":1}\r\n\r\n \t\n\n{"b":2}\n']) == [[b'{"a":1}\r', b'{"b":2}']]


def test_an_incomplete_line_is_counted_and_not_given():
    """What follows the last line end is no line yet: its length tells a clean end from a cut one."""
    decoder = LineDecoder()
    assert decoder.feed(b"whole\npar") == [b"whole\n"]
    assert decoder.incomplete_bytes == 3
    assert decoder.feed(b"t\n") == [b"part\n"]
    assert decoder.incomplete_bytes == 0
    assert decoder.finish() == []


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=8), places=cuts)
def test_a_line_over_the_bound_gives_its_beginning_and_true_length(lengths, places):
    """A line longer than the bound is reported with its first bytes and whole length, and its neighbours are whole."""
    body = b"".join(b"x" * length + b"\n" for length in lengths)
    decoder = LineDecoder(max_line_bytes=10)
    out = [block for piece in pieces(body, places) for block in decoder.feed(piece)]
    assert in_lines(out) == [b"x" * length if length <= 10 else OversizedLine(b"x" * 10, length) for length in lengths]


def peak_while(work):
    """The most memory in use at once while `work` runs, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_without_end_takes_no_more_memory_than_the_bound():
    """50 MB without a line end are held in a few times the bound, and reported by their true length when they end."""
    decoder, chunk, out = LineDecoder(), b"x" * 65536, []

    def feed():
        for _ in range(763):
            decoder.feed(chunk)
        out.extend(decoder.feed(b"\n"))

    assert peak_while(feed) < 3 * MAX_LINE_BYTES
    assert (out[0].length, len(out[0].beginning)) == (763 * 65536, MAX_LINE_BYTES)


def test_a_line_that_comes_in_tiny_parts_takes_no_more_memory_than_the_bound():
    """A line that comes two bytes at a time takes about its own size, not the size of an object for each part."""
    decoder, body = LineDecoder(), bytes(range(1, 9)) * 32768

    def feed():
        for at in range(0, len(body), 2):
            decoder.feed(body[at : at + 2])

    assert peak_while(feed) < 4 * len(body)
    assert in_lines(decoder.feed(b"\n")) == decoded([body + b"\n"])[0]


def test_a_gzip_bomb_is_inflated_in_bounded_steps():
    """200 KB that inflate to 200 MB never take more memory than a few steps of decompression and one cut line."""
    bomb = gzip.compress(bytes(200 * MIB), compresslevel=1)
    inflater, decoder = Inflater(), LineDecoder()
    largest = 0

    def feed():
        nonlocal largest
        for plain in inflater.feed(bomb):
            largest = max(largest, len(plain))
            assert decoder.feed(plain) == []

    assert peak_while(feed) < 3 * MAX_LINE_BYTES + len(bomb) * 2
    assert largest <= STEP
    assert decoder.incomplete_bytes == 200 * MIB


@pytest.mark.parametrize("at", [3, 30, 60])
def test_a_damaged_gzip_body_is_an_error_of_its_own(at):
    """A byte changed on the way ends the connection instead of giving wrong lines."""
    body = bytearray(gzip.compress(random.Random(1).randbytes(100) + b"\n", mtime=0))
    body[at] ^= 0xFF
    inflater = Inflater()
    with pytest.raises(CorruptStreamError, match="damaged"):
        list(inflater.feed(bytes(body)))


def test_what_follows_a_gzip_member_and_is_none_is_damage():
    """Bytes after a closed member must be another member."""
    with pytest.raises(CorruptStreamError):
        list(Inflater().feed(gzip.compress(b"a\n") + b"plain\n"))


def test_a_gzip_body_is_complete_only_with_its_last_byte():
    """Cut short anywhere after its first byte, a gzip body is not complete: the connection broke."""
    body = gzip.compress(b'{"a":1}\n')
    for end in range(1, len(body)):
        inflater = Inflater()
        list(inflater.feed(body[:end]))
        assert not inflater.is_complete, end
    inflater = Inflater()
    list(inflater.feed(body))
    assert inflater.is_complete


@pytest.mark.parametrize("body", [b"", b"\n", b"a", b"\x1fa", b'{"a":1}\n'])
def test_a_plain_body_may_end_anywhere(body):
    """A plain body has no end of its own; nothing of it is held back while its kind is being made out."""
    inflater = Inflater()
    assert b"".join(inflater.feed(body)) == body
    assert inflater.is_complete
