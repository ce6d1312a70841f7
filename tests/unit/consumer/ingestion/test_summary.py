"""The summary: what the consumer gives back has the shape that `docs/design.md` promises."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from consumer.checkpoint.position import TimeRange
from consumer.ingestion.summary import StopReason, Summary


@pytest.fixture(scope="module")
def promised(repository):
    """The example of a summary in the design, as parsed JSON."""
    design = (repository / "docs" / "design.md").read_text()
    return json.loads(re.search(r"```json\n(\{\"stopped\".*?)```", design, re.DOTALL)[1])


def test_the_summary_of_the_design_is_what_comes_out(promised):
    """The design's example, filled in, comes out key by key and in its order."""
    summary = Summary(
        stopped=StopReason.NEAR_DEADLINE,
        updates=5680,
        bytes=4512345,
        published=5678,
        rejected=2,
        committed_token_age_seconds=1.2,
        source_lag_seconds=3.1,
        reading_share=0.985,
    )
    assert summary.as_json() == promised
    assert list(summary.as_json()) == list(promised)


@pytest.mark.parametrize("reason", StopReason)
def test_only_a_stop_at_a_token_or_before_reading_is_graceful(reason):
    """A lost lease and a deadline between tokens are not graceful; the reason is a plain string for JSON."""
    summary = json.loads(json.dumps(Summary(reason).as_json()))
    assert summary["stopped"] == reason.value
    assert summary["graceful"] is (reason not in {StopReason.LEASE_LOST, StopReason.DEADLINE})


def test_every_reason_to_stop_is_in_the_design(repository):
    """An operator who looks a reason up finds it."""
    design = (repository / "docs" / "design.md").read_text()
    assert [reason for reason in StopReason if f"`{reason}`" not in design] == []


def test_a_run_that_read_nothing_knows_no_ages():
    """Without a commit, age and lag are null rather than a number that means nothing."""
    summary = Summary(StopReason.LEASE_HELD).as_json()
    assert summary["committed_token_age_seconds"] is None
    assert summary["source_lag_seconds"] is None
    assert (summary["updates"], summary["recovered_gap"], summary["unrecoverable_gap"]) == (0, None, None)


def test_gaps_are_written_as_times_in_utc():
    """What was fetched and what was lost are given by start and end in RFC 3339."""
    start = datetime(2024, 3, 4, 12, 0, tzinfo=timezone(timedelta(hours=3)))
    gap = TimeRange(start, datetime(2024, 3, 4, 20, 0, 0, 1000, tzinfo=UTC))
    summary = json.loads(json.dumps(Summary(StopReason.REQUESTED, recovered_gap=gap, unrecoverable_gap=gap).as_json()))
    expected = {"start": "2024-03-04T09:00:00.000Z", "end": "2024-03-04T20:00:00.001Z"}
    assert (summary["recovered_gap"], summary["unrecoverable_gap"]) == (expected, expected)


def test_seconds_and_shares_have_three_decimals():
    """Milliseconds are as fine as people read them."""
    summary = Summary(
        StopReason.REQUESTED, committed_token_age_seconds=1.23456, source_lag_seconds=-0.0004, reading_share=2 / 3
    )
    assert summary.as_json() | {"committed_token_age_seconds": 1.235, "reading_share": 0.667} == summary.as_json()
    assert summary.as_json()["source_lag_seconds"] == 0
