"""Numbers for what updates share: one each, as long as they are remembered."""

from __future__ import annotations

from archive import identities
from archive.identities import Identities


def test_each_has_one_number_and_is_handed_over_once():
    """In the order in which they are met."""
    known = Identities()
    assert [known[one] for one in (("a",), ("b",), ("a",))] == [0, 1, 0]
    assert known.taken() == (0, [("a",), ("b",)])
    assert known[("c",)] == 2
    assert known.taken() == (2, [("c",)])
    known.forget()
    assert known[("c",)] == 0


def test_what_is_forgotten_is_only_held_twice(monkeypatch):
    """No number is given to two."""
    monkeypatch.setattr(identities, "MOST_REMEMBERED", 2)
    known = Identities()
    assert [known[one] for one in (("a",), ("b",), ("c",), ("a",))] == [0, 1, 2, 3]
