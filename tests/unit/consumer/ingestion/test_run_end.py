"""The end of a run: drained, committed, and the rest left to the next run, unless something unforeseen was raised."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from consumer.errors import LeaseLostError, PublishError
from consumer.ingestion.handover import Handover
from consumer.ingestion.run_end import RunEnd, reserve
from consumer.ingestion.time_budget import RESERVE_SECONDS


class Parts:
    """What a run ends, with a note of the order in which it does."""

    def __init__(self, *, drains: Any = True, commits: Any = None) -> None:
        self.done: list[Any] = []
        self.handover = Handover()
        self._drains, self._commits = drains, commits
        self.unanswered = 0
        self.committed, self.attempted = SimpleNamespace(position_token="committed"), None
        self.slowest_write = 0.1
        self.intervals = 0

    def cut(self, seconds: float, *, reserve: float) -> float:
        return min(seconds, 10.0 - reserve)

    def drain(self, seconds: float) -> bool:
        self.done.append(("drain", seconds))
        if isinstance(self._drains, Exception):
            raise self._drains
        return bool(self._drains)

    def close(self) -> None:
        self.done.append("close")
        if self.done.count("close") == 2 and self._commits is not None:
            raise self._commits

    def end(self, *, may_hand_over: bool = True) -> RunEnd:
        """A run's end; `close` is called of the publisher, then of the committer."""
        any_part: Any = self
        end = RunEnd(any_part, any_part, any_part, self.handover, any_part, any_part, run_seconds=900.0)
        end.may_hand_over = may_hand_over
        return end


def left(parts: Parts) -> bool:
    """Whether something was left to a run that goes on from the committed token."""
    return parts.handover._left is not None


@pytest.mark.parametrize("drained", [True, False])
def test_all_that_was_read_is_acknowledged_before_the_last_commit(drained):
    """Within the time that is left, less what the last writes take; the answer says whether it was enough."""
    parts = Parts(drains=drained)
    assert parts.end().finish(None, SimpleNamespace()) is drained  # type: ignore[arg-type]
    assert parts.done == [("drain", 9.5), "close", "close"]
    assert left(parts)


def test_a_record_that_kinesis_refuses_leaves_nothing_to_the_next_run():
    """What became of the others is not known; all is committed that can be."""
    parts = Parts(drains=PublishError("refused"))
    with pytest.raises(PublishError):
        parts.end().finish(None, SimpleNamespace())  # type: ignore[arg-type]
    assert parts.done[1:] == ["close", "close"]
    assert not left(parts)


def test_a_commit_that_fails_is_raised_and_what_kinesis_has_is_left_all_the_same():
    """The next run of the process reads from the older token, and drops it."""
    parts = Parts(commits=LeaseLostError("taken over"))
    with pytest.raises(LeaseLostError):
        parts.end().finish(None, SimpleNamespace())  # type: ignore[arg-type]
    assert left(parts)


def test_after_an_unforeseen_error_nothing_is_left():
    """It is not known what was read."""
    parts = Parts()
    parts.end(may_hand_over=False).finish(None, SimpleNamespace())  # type: ignore[arg-type]
    assert not left(parts)


@pytest.mark.parametrize(
    ("slowest", "seconds", "kept"), [(0.0, 900, RESERVE_SECONDS), (2.0, 900, 5.0), (400.0, 900, 225.0), (0.0, 2, 0.5)]
)
def test_the_reserve_grows_with_slow_writes_up_to_a_quarter_of_the_run(slowest, seconds, kept):
    """Where S3 is slow the end takes longer; a run must still read."""
    assert reserve(SimpleNamespace(slowest_write=slowest), seconds) == kept  # type: ignore[arg-type]
