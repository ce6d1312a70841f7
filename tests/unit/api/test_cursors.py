"""Cursors: read by whom they were made for, with the question they were made for."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from api import cursors
from api.problems import ProblemError

QUESTION = [("bbox", "-10,35,30,60"), ("limit", "5")]


def cursor_of(address):
    """The query of the next page's address, and its cursor."""
    query = parse_qsl(urlsplit(address).query)
    return query, dict(query)["cursor"]


def test_a_position_comes_back_with_the_next_page():
    """The address repeats the question; the order of its parameters does not matter."""
    address = cursors.write(["78121E", 7], "/targets", QUESTION)
    query, cursor = cursor_of(address)
    assert address.startswith("/api/targets?bbox=")
    assert cursors.read(cursor, "/targets", query[::-1], tuple[str, int]) == ("78121E", 7)
    assert cursors.read(None, "/targets", QUESTION, tuple[str, int]) is None


def test_a_page_after_the_next_holds_one_cursor():
    """Each replaces the one before."""
    query, _ = cursor_of(cursors.write(["A"], "/targets", QUESTION))
    query, cursor = cursor_of(cursors.write(["B"], "/targets", query))
    assert [name for name, _ in query].count("cursor") == 1
    assert cursors.read(cursor, "/targets", query, tuple[str]) == ("B",)


@pytest.mark.parametrize(
    ("path", "query"), [("/windows", QUESTION), ("/targets", [("bbox", "-10,35,30,61"), ("limit", "5")])]
)
def test_a_cursor_of_another_question_is_refused(path, query):
    """Answered, it would leave gaps."""
    _, cursor = cursor_of(cursors.write(["A"], "/targets", QUESTION))
    with pytest.raises(ProblemError, match="cursor: got"):
        cursors.read(cursor, path, query, tuple[str])


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "W10", "W" * 4_000, "W1sxLDJdLDNd", "\u00e9"])
def test_what_is_not_a_cursor_is_refused(cursor):
    """Whatever it is, it is the caller's mistake and not ours."""
    with pytest.raises(ProblemError, match="expected what `next` of an earlier page"):
        cursors.read(cursor, "/targets", QUESTION, tuple[str])
