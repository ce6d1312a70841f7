"""What is measured of flights: an aircraft's flights joined with those of more aircraft."""

from __future__ import annotations

from benchmarks.flights import hours, runs
from common import flight_book
from flights.days import span
from flights.parts import Part, Plan


def test_a_part_is_joined_with_its_copies(tmp_path):
    """The copies are other aircraft's flights, in their order."""
    updates = hours.write(tmp_path, 4_000, 1, hours=1)
    assert updates > 3_500, "five aircraft, one in five seconds each"
    last = round(span(hours.DAY)[1].timestamp() * 1_000)
    part = Part(str(hours.DAY), "ab", 0, "", "", last)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = runs.part(scratch, tmp_path, 256, part)
    assert (made.updates, made.flights > 0) == (updates, True)
    copied = runs.copied(tmp_path, Plan(part.day, "ab", [part]), 20)
    assert runs.joined(scratch, tmp_path, 256, copied) == 20 * made.flights
    book = (tmp_path / flight_book.key(part.day)).read_bytes()
    ids = [block.first_id for block in flight_book.read_directory(book).blocks]
    assert (len(set(ids)) > 1, ids) == (True, sorted(ids))
