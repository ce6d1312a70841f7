"""What is in a raw object: every line up to its end or its damage, however it is cut, envelopes opened."""

from __future__ import annotations

import base64
import gzip

import pytest
from backports import zstd

from archive.raw_object import INFLATED, LONGEST_LINE, DamagedObjectError, blocks

LINES = [b'{"number": %d, "noise": "%x"}\n' % (number, number * 2_654_435_761 % 2**32) for number in range(20_000)]
TEXT = b"".join(LINES)
WHOLE = gzip.compress(TEXT, mtime=0)


def read(data, chunk=65_536):
    """What an object gives, what is said of its damage, and the reasons of what was rejected."""
    found, reasons, damage = [], [], None
    opened = blocks(
        lambda: (data[at : at + chunk] for at in range(0, len(data), chunk)), lambda _, reason: reasons.append(reason)
    )
    try:
        found.extend(opened)
    except DamagedObjectError as error:
        damage = str(error)
    return b"".join(found), damage, reasons


@pytest.mark.parametrize("chunk", [1_000, 65_536, 10_000_000])
def test_members_follow_one_another_wherever_they_are_cut(chunk):
    """Several gzip members in one object are one text."""
    assert len(TEXT) > 2 * INFLATED
    data = gzip.compress(TEXT[:300_001]) + gzip.compress(b"") + gzip.compress(TEXT[300_001:])
    assert read(data, chunk) == (TEXT, None, [])


@pytest.mark.parametrize("chunk", [1_000, 65_536, 10_000_000])
def test_a_wrong_checksum_costs_no_line(chunk):
    """All of it was inflated before the checksum was found to be wrong: it is given out, and the damage is said."""
    text, damage, _ = read(WHOLE[:-8] + bytes(4) + WHOLE[-4:], chunk)
    assert text == TEXT
    assert "damaged gzip within bytes" in damage


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_what_comes_before_a_damaged_block_is_given_out(at):
    """Up to the line that the damage is in; how much of that there is, is said."""
    members = [gzip.compress(b"".join(LINES[first : first + 2_000]), mtime=0) for first in range(0, 20_000, 2_000)]
    damaged = int(at * 10)
    members[damaged] = members[damaged][:20] + b"\xff" * 40 + members[damaged][60:]
    text, damage, _ = read(b"".join(members))
    assert text.startswith(b"".join(LINES[: damaged * 2_000]))
    assert text == b"".join(LINES[: text.count(b"\n")]) or len(text) < (damaged + 1) * 80_000
    assert "of the line it ends in there are" in damage


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty object"),
        (b"no gzip at all", "damaged gzip within bytes 0 to 14"),
        (WHOLE[: len(WHOLE) // 2], "gzip that ends too early"),
        (gzip.compress(bytes([97]) * (LONGEST_LINE + 1)), "a line of more than"),
    ],
    ids=["empty", "no-gzip", "cut", "endless-line"],
)
def test_what_is_wrong_is_said(data, said):
    """And nothing is given out that is no whole line."""
    text, damage, _ = read(data)
    assert said in damage
    assert text == b"".join(LINES[: text.count(b"\n")])


def test_envelopes_are_opened_where_they_are():
    """Their updates, and the single ones beside them; a damaged envelope is rejected with a reason."""
    updates = LINES[:3]
    packed = base64.b64encode(zstd.compress(b"".join(updates)))
    envelope = b'{"v":1,"n":3,"shard":"shardId-000000000000","z":"%s"}\n' % packed
    text, damage, reasons = read(gzip.compress(LINES[3] + envelope + b'{"v":1,"n":1,"z":"??"}\n' + LINES[4][:-1]))
    assert sorted(text.splitlines(keepends=True)) == sorted(LINES[:5])
    assert (damage, len(reasons)) == (None, 1)
