"""Every measurement that `bench` runs can be called as it calls them."""

from __future__ import annotations

import inspect

import pytest

from benchmarks import measures


@pytest.mark.parametrize("name", measures.names())
def test_a_measurement_takes_a_workspace_and_what_reports_its_progress(name):
    """No more and no less: the run of half an hour would end at the one that asks for something else."""
    inspect.signature(measures.load(name)).bind("a workspace", print)
