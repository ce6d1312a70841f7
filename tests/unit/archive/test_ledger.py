"""The ledger of an arrival hour: what is in it is not read again, unless its content has changed."""

from __future__ import annotations

import pytest

from archive import ledger as ledgers
from archive.ledger import Entry, Ledger
from common.s3_listing import Listed

A, B = Listed("raw/a", "1", 9), Listed("raw/b", "1", 9)


def test_an_object_is_unread_until_its_content_is_in_the_ledger():
    """Another tag is another content."""
    ledger = Ledger().joined({A.key: Entry("1", 7)})
    assert Ledger().unread([A, B]) == [A, B]
    assert ledger.unread([A, B]) == [B]
    assert ledger.unread([Listed(A.key, "2", 9)]) == [Listed(A.key, "2", 9)]


def test_joining_keeps_the_others_and_takes_the_newer_entry():
    """And changes nothing in the ledger that was joined."""
    first = Ledger().joined({B.key: Entry("1"), A.key: Entry("1")})
    second = first.joined({A.key: Entry("2", 3)})
    assert second.objects == {A.key: Entry("2", 3), B.key: Entry("1")}
    assert first.objects[A.key] == Entry("1")


def test_the_same_entries_have_the_same_bytes_in_whatever_order_they_came():
    """And what is written is read."""
    entries = {A.key: Entry("1", 7, 1, "no JSON", "cut"), B.key: Entry("1")}
    one = Ledger().joined(entries)
    other = Ledger().joined({B.key: entries[B.key]}).joined({A.key: entries[A.key]})
    assert ledgers.encode(one) == ledgers.encode(other)
    assert ledgers.decode(ledgers.encode(one)) == one


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version":2,"objects":{}}', b'{"objects":{"raw/a":{}}}'])
def test_what_is_no_ledger_of_this_version_is_refused(data):
    """Whoever reads it takes it as empty, and reads the objects again."""
    with pytest.raises(ValueError, match=r"."):
        ledgers.decode(data)
