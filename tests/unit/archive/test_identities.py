"""Numbers for what updates share: one each, as long as they are remembered."""

from __future__ import annotations

from archive import identities
from archive.identities import Identities


def test_each_has_one_number_and_is_handed_over_once():
    """In the order in which they are met."""
    known = Identities()
    assert known.numbers([("a", None), ("b", ""), ("a", None)]) == [0, 1, 0]
    assert known.taken() == (0, [("a", None), ("b", "")])
    assert known.numbers([("a", ""), ("a", None)]) == [2, 0]
    assert known.taken() == (2, [("a", "")])
    known.forget()
    assert known.numbers([("c",)]) == [0]


def test_what_is_forgotten_is_only_held_twice(monkeypatch):
    """No number is given to two."""
    monkeypatch.setattr(identities, "MOST_REMEMBERED", 2)
    known = Identities()
    assert known.numbers([("a",), ("b",), ("c",), ("a",)]) == [0, 1, 2, 3]
