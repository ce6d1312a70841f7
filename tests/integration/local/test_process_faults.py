"""A second invocation beside the one under way: reported, and counted where the function's concurrency allows it."""

from __future__ import annotations

import threading

import pytest

from local.faults.timed.processes import ProcessFault, ProcessFaults, ProcessKind
from tests.support.conditions import wait_until

MEETING = """
import pathlib, time, uuid
folder = pathlib.Path(__file__).parent
def handler(event, context):
    (folder / f"{uuid.uuid4()}.here").touch()
    while not (folder / "go").exists(): time.sleep(0.01)
    return len(list(folder.glob("*.here")))
"""


@pytest.fixture
def second(function, tmp_path):
    """Have a second invocation begin beside one under way; return what was counted, and the results."""

    def happen(reserved):
        one, results = function(MEETING, reserved=reserved), []
        first = threading.Thread(target=one.invoke, args=(b"{}",))
        first.start()
        wait_until(lambda: list(tmp_path.glob("*.here")))
        twice = ProcessFault(kind=ProcessKind.TWO_AT_ONCE, function="Throwaway", at=0.0)
        faults = ProcessFaults([twice], {"Throwaway": one}, results.append)
        faults.start()
        faults.join()
        wait_until(lambda: one.under_way == (reserved or 2))
        (tmp_path / "go").touch()
        faults.join_invocations()
        first.join()
        return dict(faults.injected), [result.payload for result in results]

    return happen


def test_a_second_invocation_is_counted_and_its_result_handed_on(second):
    """Both are there at once: whoever follows the runs must hear of the second one, too."""
    assert second(None) == ({"two_at_once_Throwaway": 1}, [2])


def test_a_second_invocation_that_is_throttled_did_not_happen(second):
    """With a reserved concurrency of 1 nothing went wrong, and nothing may be said to have gone wrong."""
    assert second(1) == ({}, [])
