"""The benchmarks: one small run of the command, for its figures' shape and the page; never for its times."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace

import pytest

from benchmarks import __main__ as bench
from benchmarks import cases
from benchmarks.harness import processes
from benchmarks.harness.case import Comparison
from benchmarks.harness.comparison import compare
from benchmarks.harness.settings import stream
from benchmarks.harness.workspace import QUICK, Workspace
from benchmarks.report import __main__ as report

NAME = "read_line_gzip"


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """The file that a small run wrote."""
    path = tmp_path_factory.mktemp("bench") / "figures.json"
    assert bench.main(["--only", NAME, "--updates", "300", "--runs", "1", "--json", str(path)]) == 0
    return path


def test_the_figures_have_the_documented_shape(figures):
    """Each benchmark has seconds of ours and of its peer, their ratio, and the number of runs."""
    results = json.loads(figures.read_text(encoding="utf-8"))
    assert set(results) == {"machine", NAME}
    result = results[NAME]
    assert result["ours"] > 0
    assert result["peer"] > 0
    assert result["ratio"] == pytest.approx(result["peer"] / result["ours"])
    assert result["runs"] == 1
    assert result["updates"] == 300


def test_the_page_is_written_from_the_figures(figures, tmp_path):
    """The report names the benchmark with its ratio."""
    page = tmp_path / "performance.md"
    assert report.main([str(figures), "--output", str(page)]) == 0
    result = json.loads(figures.read_text(encoding="utf-8"))[NAME]
    (row,) = [line for line in page.read_text(encoding="utf-8").splitlines() if f"`{NAME}`) | generated" in line]
    assert f"| {result['ratio']:.2f} |" in row


def test_every_benchmark_names_sides_that_exist():
    """A comparison's sides can be imported and called: ours, the peer, and others."""
    for name in cases.names():
        sides = cases.load(name).sides
        assert {"ours", "peer"} <= sides.keys(), name
        for target in sides.values():
            module, _, function = target.partition(":")
            assert callable(getattr(importlib.import_module(module), function)), target


def test_a_side_that_leaves_updates_out_fails_the_benchmark(tmp_path):
    """No side is fast by doing less: another number of updates than there were is an error."""
    workspace = Workspace(tmp_path, replace(QUICK, updates=50, runs=1))
    reads_all = stream(flush_lines=False, compress=False)

    def one_more(workspace, workload):
        return _Expecting(reads_all(workspace, workload))

    comparison = Comparison(
        what="",
        target=1,
        setting=one_more,
        sides={"ours": "benchmarks.peers.client:read", "peer": "benchmarks.peers.client:read"},
    )
    with pytest.raises(processes.BenchmarkError, match="handled 50 updates; expected 51"):
        compare(comparison, workspace, lambda _: None)


class _Expecting:
    """A setting that promises one update more than it sends."""

    def __init__(self, setting):
        self._setting = setting

    def __enter__(self):
        params = self._setting.__enter__()
        return params | {"updates": params["updates"] + 1}

    def __exit__(self, *details):
        return self._setting.__exit__(*details)
