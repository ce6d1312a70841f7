"""The output while benchmarks run, where no terminal shows it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from benchmarks import __main__ as bench
from benchmarks.report.progress import Progress


def test_a_log_says_what_is_at_work_and_what_comes_next():
    """A line at each beginning and end, and between them no more than one in ten seconds."""
    seconds = [0.0]
    log = io.StringIO()
    with Progress(Console(file=log, width=120), ["a", "b"], lambda: seconds[0]) as progress:
        progress.begin("a")
        for _ in range(25):
            seconds[0] += 1
            progress.step(f"run {seconds[0]:.0f}")
        progress.end()
        progress.begin("b")
    assert log.getvalue().splitlines() == [
        "1 of 2, a: begins; next is b",
        "1 of 2, a: run 10",
        "1 of 2, a: run 20",
        "1 of 2, a: done in 25 s",
        "2 of 2, b: begins; it is the last one",
    ]


@pytest.mark.parametrize(
    "arguments",
    [["--updates", "-1"], ["--updates", "0"], ["--runs", "0"], ["--memory-seconds", "nan"], ["--runs", "x"]],
)
def test_sizes_that_are_none_are_refused(arguments, capsys):
    """By the name of the option, with what it takes."""
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert ended.value.code == 2
    assert f"argument {arguments[0]}: got '{arguments[1]}'; expected a" in capsys.readouterr().err


def test_a_place_that_takes_no_figures_is_refused_before_the_work(capsys):
    """Half an hour's work does not end in a traceback."""
    assert bench.main(["--json", "/dev/full"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("bench: error: --json: /dev/full: cannot be written: No space left on device")
