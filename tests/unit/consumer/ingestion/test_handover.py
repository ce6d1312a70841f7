"""The handover: what a run leaves goes to the run that goes on from the same place, once."""

from __future__ import annotations

from consumer.ingestion.deduplicator import RepeatFilter
from consumer.ingestion.handover import Handover


def test_the_run_that_goes_on_gets_what_was_left():
    """The next run from the same token, or again without a checkpoint, must know what the last one knew."""
    for token in ("t1", None):
        handover, repeats = Handover(), RepeatFilter()
        handover.leave(token, repeats)
        assert handover.take(token) is repeats


def test_nothing_is_left_for_a_run_from_elsewhere():
    """A checkpoint set back on purpose must have everything sent again, and another's progress makes it worthless."""
    handover = Handover()
    for left, resumed in (("t1", "t0"), ("t1", None), (None, "t1")):
        handover.leave(left, RepeatFilter())
        assert handover.take(resumed) is None


def test_what_was_left_is_taken_once():
    """A run that failed before it left anything must not have its successor believe an older run."""
    handover = Handover()
    handover.leave("t1", RepeatFilter())
    handover.take("t1")
    assert handover.take("t1") is None


def test_a_forgotten_line_is_new_again():
    """What was seen but never acknowledged must be handed on when it comes again."""
    repeats = RepeatFilter()
    assert not repeats.is_repeat(b"line")
    repeats.forget(b"line")
    assert not repeats.is_repeat(b"line")
    assert repeats.is_repeat(b"line")
    repeats.forget(b"never seen")
