"""The report: its shape, what makes a run a failure, and what is only worth a look."""

from __future__ import annotations

import dataclasses

import pytest

from local.audit.archive import ArchiveFigures
from local.audit.ledger import RowFigures, StreamFigures
from local.audit.report import ConsumerFigures, Report, consumer_figures
from local.runtime.invocation import InvocationResult

STREAM = StreamFigures(source=10, updates=10, lost=0, duplicates=0, out_of_order=0, unexpected=0)
ROWS = RowFigures(windows=2, rows=4, updates=10, totals=10)
REPORT = Report(
    archive=ArchiveFigures(hours=1, updates=10),
    kind="replay",
    connections=3,
    stream=STREAM,
    rows=ROWS,
    aggregator_invocations=5,
    alerts_invocations=2,
    notified=1,
    suppressed=3,
    consumer=ConsumerFigures(invocations=3, graceful_stops=3, hard_stops=0, reading_share=0.97),
    rejected=0,
    dead_letters=0,
    elapsed_seconds=31.24,
    moving_seconds=4.0,
)


def with_changes(*, stream=None, rows=None, **changes):
    """The good report with some figures changed."""
    return dataclasses.replace(
        REPORT,
        stream=dataclasses.replace(STREAM, **(stream or {})),
        rows=dataclasses.replace(ROWS, **(rows or {})),
        **changes,
    )


def test_the_report_has_the_promised_shape():
    """Scripts read it: names and nesting are a contract."""
    assert REPORT.as_json() == {
        "complete": True,
        "losses": [],
        "source": {"kind": "replay", "updates": 10, "connections": 3},
        "kinesis": {"updates": 10, "lost": 0, "duplicates": 0, "out_of_order": 0, "unexpected": 0},
        "aggregator": {
            "invocations": 5,
            "windows": 2,
            "updates": 10,
            "rows": 4,
            "totals": 10,
            "miscounted": 0,
            "mistotalled": 0,
            "contradictions": 0,
        },
        "alerts": {"invocations": 2, "notified": 1, "suppressed": 3},
        "consumer": {"invocations": 3, "graceful_stops": 3, "hard_stops": 0, "reading_share": 0.97},
        "archive": {"hours": 1, "updates": 10, "missing": 0, "doubled": 0, "unexpected": 0},
        "rejected": 0,
        "dead_letters": 0,
        "unkept": 0,
        "elapsed_seconds": 31.2,
        "updates_per_second": 2.5,
    }


def test_a_run_of_envelopes_counts_them():
    """How many records there were, and how many of them a reshard misplaced; there is nothing to tell of the others."""
    report = with_changes(record_format="envelope", records=3, misplaced=1)
    assert report.as_json()["envelopes"] == {"records": 3, "misplaced": 1}


@pytest.mark.parametrize(("seconds", "rate"), [(4.0, 2.5), (0.01, 1000.0), (None, 0.0)])
def test_the_throughput_is_updates_by_the_time_they_were_on_their_way(seconds, rate):
    """Start and count are not part of it; a run that sent nothing has none."""
    assert with_changes(moving_seconds=seconds).updates_per_second == pytest.approx(rate)


def test_a_run_that_lost_nothing_is_a_success():
    """All in Kinesis, all in the rows: exit code 0 and nothing to say."""
    assert (REPORT.exit_code, REPORT.losses(), REPORT.notes()) == (0, [], [])


@pytest.mark.parametrize(
    "report",
    [
        with_changes(stream={"lost": 1, "updates": 9}, rows={"updates": 9, "totals": 9}),
        with_changes(stream={"unexpected": 1}),
        with_changes(rows={"miscounted": 1, "example": "78121E from 2024-03-04T23:24:00Z in shard-0: 1 for 2"}),
        with_changes(rows={"totals": 9, "mistotalled": 1}),
        with_changes(rows={"mistotalled": 2}),
        with_changes(rows={"contradictions": 1}),
        with_changes(archive=ArchiveFigures(unexpected=1)),
        with_changes(dead_letters=2),
        with_changes(unkept=2),
        with_changes(complete=False),
    ],
    ids=[
        "lost",
        "unexpected",
        "miscounted",
        "totals differ",
        "totals of parts differ",
        "rows contradict",
        "unexpected in the archive",
        "given up",
        "given up unkept",
        "not at its end",
    ],
)
def test_whatever_does_not_add_up_is_a_failure_with_one_reason(report):
    """Each loss by itself makes the exit code 1, and is named."""
    assert report.exit_code == 1
    assert len(report.losses()) == 1
    assert report.as_json()["losses"] == report.losses()
    assert report.as_json()["complete"] == report.complete


@pytest.mark.parametrize(
    "report",
    [
        with_changes(consumer=ConsumerFigures(3, 2, 1, 0.9)),
        with_changes(stream={"duplicates": 2}, rows={"updates": 11, "totals": 11}),
        with_changes(stream={"out_of_order": 1}),
        with_changes(rejected=1),
    ],
    ids=["hard stop", "duplicates", "out of order", "rejected"],
)
def test_what_loses_nothing_is_named_and_no_failure(report):
    """A hard stop, repeats, order and rejected lines are worth a look; a duplicate may be counted in its own window."""
    assert report.exit_code == 0
    assert len(report.notes()) == 1


def _run(payload, *, error=None, seconds=10.0):
    return InvocationResult("id", payload, error, seconds)


def test_a_run_that_failed_is_a_hard_stop():
    """Neither an exception nor a stop without a token is graceful."""
    figures = consumer_figures(
        [
            _run({"graceful": True, "reading_share": 1.0}),
            _run({"graceful": False, "reading_share": 0.5}),
            _run({"errorType": "Sandbox.Timedout", "errorMessage": "..."}, error="Unhandled"),
        ]
    )
    assert (figures.invocations, figures.graceful_stops, figures.hard_stops) == (3, 1, 2)


def test_the_reading_share_is_weighted_by_time():
    """A long run counts for more than a short one."""
    figures = consumer_figures(
        [_run({"graceful": True, "reading_share": 1.0}, seconds=30), _run({"graceful": True, "reading_share": 0.6})]
    )
    assert figures.reading_share == pytest.approx(0.9)


def test_without_runs_nothing_was_read():
    """A run that was stopped before the first tick still has a report."""
    assert consumer_figures([]) == ConsumerFigures(0, 0, 0, 0.0)


def test_for_a_stream_served_by_others_only_what_is_known_is_reported():
    """Neither what was sent nor what was lost before Kinesis; what was lost after it is a loss as ever."""
    report = with_changes(is_source_known=False)
    figures = report.as_json()
    assert figures["source"] == {"kind": "replay", "updates": None, "connections": None}
    kinesis = {"updates": 10, "lost": None, "duplicates": 0, "out_of_order": None, "unexpected": 0}
    assert figures["kinesis"] == kinesis
    assert report.exit_code == 0
    assert with_changes(is_source_known=False, rows={"miscounted": 1}).exit_code == 1


def test_a_stream_that_no_run_could_read_is_a_failure():
    """A wrong token, for one: nothing came, so that nothing is missing."""
    runs = ConsumerFigures(invocations=2, graceful_stops=0, hard_stops=2, reading_share=0.0)
    report = with_changes(is_source_known=False, consumer=runs, stream={"source": 0, "updates": 0})
    assert report.exit_code == 1
    assert "No update came from the stream: nothing was put to the test." in report.notes()
