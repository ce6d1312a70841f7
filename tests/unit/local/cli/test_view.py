"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

import dataclasses
import io
import threading

import pytest
from rich.console import Console

from local.audit.archive import ArchiveFigures
from local.audit.ledger import RowFigures, StreamFigures
from local.audit.report import ConsumerFigures, Report
from local.cli.closing_table import show_report
from local.cli.view import Snapshot, View

NOW = Snapshot(
    phase="running",
    released=1200,
    connections=2,
    consumer_running_for=12.4,
    consumer_timeout=20,
    runs=1,
    failed_runs=0,
    covered=1080,
    source_lag=3.2,
    in_kinesis=1190,
    iterator_age=0.4,
    aggregator_invocations=9,
    windows_closed=4,
    window=10,
    notified=2,
    suppressed=5,
    newest_alerts=("first alert", "second alert"),
    rejected=0,
    troubles=0,
)


def _text(what, width=100):
    out = io.StringIO()
    Console(file=out, width=width).print(what)
    return out.getvalue()


@pytest.fixture
def view():
    """A view that is not running: what it draws is looked at."""
    return View(Console(file=io.StringIO()), lambda: NOW, "aircraft stream")


def test_the_picture_shows_where_the_run_stands(view):
    """Rates, the run under way, checkpoint, lag, windows and alerts, the newest alert first."""
    picture = _text(view.picture(NOW))
    for piece in (
        "1,200",
        "1,190",
        "run 2",
        "12 of 20 s",
        "90 %",
        "source lag 3.2 s",
        "4  of 10 s closed",
        "5 suppressed",
    ):
        assert piece in picture
    assert picture.index("second alert") < picture.index("first alert")
    assert "troubles" not in picture


def test_the_picture_stays_whole_while_little_is_known(view):
    """At the very start nothing was sent, and no run is under way."""
    start = dataclasses.replace(
        NOW, released=0, covered=0, in_kinesis=0, consumer_running_for=None, source_lag=None, iterator_age=None, runs=0
    )
    picture = _text(view.picture(start))
    assert "waits for the next tick" in picture
    assert "source lag" not in picture


def test_a_recording_s_age_is_not_shown_as_lag(view):
    """A recording of years ago is not late."""
    assert "source lag" not in _text(view.picture(dataclasses.replace(NOW, source_lag=178_000_000.0)))


def test_troubles_and_failed_runs_are_not_hidden(view):
    """What goes wrong is in the picture from then on."""
    picture = _text(view.picture(dataclasses.replace(NOW, troubles=3, rejected=7, failed_runs=1)))
    assert "3 troubles, 7 lines rejected" in picture
    assert "1 runs failed" in picture


def test_without_a_terminal_there_are_plain_lines(monkeypatch):
    """A log gets a line now and then, without colours and without control characters."""
    monkeypatch.setattr("local.cli.view._PLAIN_SECONDS", 0.001)
    out = io.StringIO()
    console = Console(file=out, width=80)
    looked = threading.Event()

    def take():
        looked.set()
        return NOW

    with View(console, take, "aircraft stream"):
        assert looked.wait(20)
    line = out.getvalue().splitlines()[0]
    assert "running: 1,200 sent" in line
    assert "90 % committed" in line
    assert "\x1b" not in line


REPORT = Report(
    archive=ArchiveFigures(hours=1, updates=10),
    kind="replay",
    connections=1,
    stream=StreamFigures(source=10, updates=10, lost=0, duplicates=0, out_of_order=0, unexpected=0),
    rows=RowFigures(windows=2, rows=4, updates=10, totals=10),
    aggregator_invocations=5,
    alerts_invocations=2,
    notified=1,
    suppressed=3,
    consumer=ConsumerFigures(3, 3, 0, 0.97),
    rejected=0,
    dead_letters=0,
    elapsed_seconds=3.0,
    moving_seconds=2.0,
)


def _closing(report):
    out = io.StringIO()
    show_report(Console(file=out, width=120), report)
    return out.getvalue()


def test_the_closing_table_ends_with_the_verdict():
    """Who reads only the last line knows."""
    assert "Nothing was lost." in _closing(REPORT).splitlines()[-1]


def test_a_loss_and_what_is_worth_a_look_are_distinguished():
    """A loss is named as one, and there is no good verdict beside it."""
    bad = dataclasses.replace(REPORT, dead_letters=3, consumer=ConsumerFigures(3, 2, 1, 0.9))
    text = _closing(bad)
    assert "Lost: 3 records were given up" in text
    assert "Warning: 1 runs of the consumer did not end at a position token." in text
    assert "Nothing was lost." not in text


def test_the_table_shows_the_throughput():
    """Updates a second, with what is meant by it."""
    words = " ".join(_closing(REPORT).split())
    assert "Throughput 5 updates a second, from the first one sent to the end of the last invocation" in words


def test_envelopes_have_a_line_of_their_own():
    """Where the format is envelope, and only there."""
    words = " ".join(_closing(dataclasses.replace(REPORT, record_format="envelope", records=3, misplaced=1)).split())
    assert "Records 3 hold them; 1 misplaced envelopes" in words
    assert "Records" not in _closing(REPORT)
