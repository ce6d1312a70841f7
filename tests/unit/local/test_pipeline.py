"""The running system's end by force: it waits for nothing that only the functions' own end would bring."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from local.archive_run import ArchiveRun
from local.clock import SystemClock
from local.function_names import ARCHIVE
from local.pipeline import Pipeline
from local.runtime.emulator import EmulatorError
from local.stack import ScheduleSettings

ARN = "arn:aws:lambda:us-east-1:123456789012:function:archive"


class Archive:
    """A function whose invocation ends with its environment alone, or when it is let finish."""

    settings = SimpleNamespace(arn=ARN, logical_id=ARCHIVE)

    def __init__(self):
        self.busy, self.stopped, self.finish = threading.Event(), threading.Event(), threading.Event()

    def invoke(self, _event):
        """Work until then."""
        self.busy.set()
        self.stopped.wait()
        if self.finish.is_set():
            return SimpleNamespace(function_error=None, payload={})
        raise EmulatorError("the emulator ended")

    def stop(self):
        """End it."""
        self.stopped.set()


@pytest.fixture
def archive():
    """The function, which ends with the test at the latest."""
    function = Archive()
    yield function
    function.stop()


@pytest.fixture
def said():
    """What was said about the archive's runs."""
    return []


@pytest.fixture
def pipeline(archive, said):
    """A pipeline of nothing but an archive, whose run is under way."""
    rule = ScheduleSettings("rule/archive", ARN, 3600.0, True, 3600.0, 2)  # noqa: FBT003 -- enabled
    run = ArchiveRun(
        SimpleNamespace(deliveries=[], schedules=[rule]),
        None,
        {ARCHIVE: archive},
        SystemClock(),
        speed=1.0,
        failed=said.append,
        archived=lambda: said.append("archived"),
    )
    made = Pipeline.__new__(Pipeline)
    made._archive, made._schedules, made._mappings, made._functions = run, [], {}, {ARCHIVE: archive}
    run.start()
    assert archive.busy.wait(60)
    return made


def test_closing_ends_the_archive_s_run_that_is_under_way(pipeline, archive, said):
    """It may take minutes: the function is stopped first, and its thread waited for after that."""
    closing = threading.Thread(target=pipeline.close, daemon=True)
    closing.start()
    assert archive.stopped.wait(60)
    closing.join(60)
    assert not closing.is_alive()
    assert said == []


def test_no_flights_are_made_of_an_archive_that_is_ready_while_it_closes(pipeline, archive, said):
    """Their function is stopped by then, and what could not be made would look like trouble."""
    archive.finish.set()
    pipeline.close()
    assert said == []
