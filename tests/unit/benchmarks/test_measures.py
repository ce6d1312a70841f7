"""Every measurement that `bench` runs can be called as it calls them."""

from __future__ import annotations

import inspect
import re

import pytest

from benchmarks import __main__ as bench
from benchmarks import measures
from benchmarks.harness.workspace import FULL, QUICK
from benchmarks.sides import live


@pytest.mark.parametrize("name", measures.names())
def test_a_measurement_takes_a_workspace_and_what_reports_its_progress(name):
    """No more and no less: the run of half an hour would end at the one that asks for something else."""
    inspect.signature(measures.load(name)).bind("a workspace", print)


@pytest.mark.parametrize("name", sorted(measures.CLOCKED))
def test_what_runs_by_the_clock_is_refused_where_it_would_run_for_no_time(name, capsys):
    """Before anything is started, with the option that leaves it out."""
    with pytest.raises(SystemExit) as ended:
        bench.main(["--quick", "--only", name])
    assert ended.value.code == 2
    assert f"argument --only: {name} runs by the clock" in capsys.readouterr().err


def test_each_measurement_that_runs_by_the_clock_is_known_as_one():
    """By the time it asks for, which --quick sets to nothing."""
    sources = {name: inspect.getsource(inspect.getmodule(measures.load(name))) for name in measures.names()}
    asked = {name: re.findall(r"sizes\.(\w+_seconds)", source) for name, source in sources.items()}
    assert {name: fields for name, fields in asked.items() if fields} == {
        name: [field] for name, field in measures.CLOCKED.items()
    }
    assert all(getattr(FULL, field) > 0 == getattr(QUICK, field) for field in measures.CLOCKED.values())


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_too_short_to_measure_says_so(count):
    """Rather than divide nothing by nothing."""
    with pytest.raises(ValueError, match=f"{count} samples, one a second; expected 2"):
        live.steady_share([live.Sample(1.0, 0.5, 10**8)] * count)


def test_the_share_of_a_core_leaves_the_start_out():
    """The clients are made and the connections opened in the first seconds."""
    cpu = [0.0, 1.0, 2.0, 2.1, 2.2, 2.3]
    samples = [live.Sample(float(second), seconds, 10**8) for second, seconds in enumerate(cpu)]
    assert live.steady_share(samples) == pytest.approx(0.1)
