"""The recorded counts of the hot loops: what is complained of, and where nothing can be said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.instructions import loops, record
from benchmarks.instructions.record import Build, Recorded

RECORDED = Recorded(Build.running(), {"reading": 1000.0})


@pytest.mark.parametrize("count", [1, 1000, 1149, 1150])
def test_a_loop_may_grow_by_fifteen_percent(count):
    """What is less, or hardly more, passes."""
    assert record.complaint(RECORDED, "reading", count) is None


def test_a_loop_that_grew_more_is_complained_of():
    """The text says by how much, and how to record the new count."""
    text = record.complaint(RECORDED, "reading", 1151)
    assert text.startswith("reading: 1,151 instructions an update, +15% over the 1,000 recorded")
    assert "python -m benchmarks.instructions --record" in text


def test_a_loop_that_is_not_recorded_is_complained_of():
    """A new loop does not pass for want of a record."""
    assert record.complaint(RECORDED, "folding", 1).startswith("folding: not recorded")


def test_another_build_of_python_cannot_be_compared():
    """Another patch release, processor or compiler makes other instructions: the text says which it is."""
    assert record.incomparable(RECORDED) is None
    other = replace(RECORDED, build=replace(RECORDED.build, python="3.13.99", machine="pdp11"))
    text = record.incomparable(other)
    assert "python '3.13.99' (here: " in text
    assert "machine 'pdp11' (here: " in text
    assert "nothing can be said here" in text


def test_a_record_is_read_as_it_was_written(tmp_path):
    """Counts are rounded: a hundredth of an instruction tells nothing."""
    record.save(Recorded(RECORDED.build, {"reading": 1000.4}), tmp_path / "record.json")
    assert record.load(tmp_path / "record.json") == RECORDED


def test_every_loop_is_recorded():
    """Of each loop the repository holds a count."""
    assert sorted(record.load().loops) == loops.names()
