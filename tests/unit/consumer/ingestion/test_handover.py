"""The handover: what a run leaves goes to the run that goes on from the same place, once."""

from __future__ import annotations

import logging

import pytest

from consumer.ingestion.deduplicator import DuplicateFilter
from consumer.ingestion.handover import Handover


def test_the_run_that_goes_on_gets_what_was_left():
    """The next run from the same token, or again without a checkpoint, must know what the last one knew."""
    for token in ("t1", None):
        handover, duplicates = Handover(), DuplicateFilter()
        handover.leave({token, "another"}, lambda found=duplicates: found)
        assert handover.take(token) is duplicates


def test_nothing_is_left_for_a_run_from_elsewhere():
    """A checkpoint set back on purpose must have everything sent again, and another's progress makes it worthless."""
    handover = Handover()
    for left, resumed in (("t1", "t0"), ("t1", None), (None, "t1")):
        handover.leave({left}, DuplicateFilter)
        assert handover.take(resumed) is None


def test_what_was_left_is_taken_once():
    """A run that failed before it left anything must not have its successor believe an older run."""
    handover = Handover()
    handover.leave({"t1"}, DuplicateFilter)
    handover.take("t1")
    assert handover.take("t1") is None


@pytest.mark.parametrize("kind", [ValueError, RecursionError])
def test_what_cannot_be_read_again_is_dropped_and_said(kind, caplog):
    """An update that reading just took may be nested too deep for another look: the next run does without the rest."""

    def refuse():
        raise kind("\x1b[31mnested" + "n" * 1_000)

    handover = Handover()
    handover.leave({"t1"}, refuse)
    assert handover.take("t1") is None
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "nested" in record.reason
    assert record.reason.isprintable()
    assert len(record.reason) <= 500
