"""`ops plan`: the simulation behind it, the settings it chooses, and what it says of settings as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.measures.iterator_age import CASES, RECORDED
from ops.command_line import main
from ops.errors import OpsError
from ops.plan.choice import plan, variants
from ops.plan.load import Load, of_recording
from ops.plan.simulation import Function, Mapping, Traffic, simulate

WORLD = Load(4_000.0, 750.0, 12_000, "given")


@pytest.mark.parametrize("name", list(CASES))
def test_it_says_what_running_pollers_did(name):
    """The mean iterator age of five configurations, as measured: within 15 %."""
    recorded = json.loads(RECORDED.read_text())
    assert simulate(*CASES[name], seconds=recorded["seconds"]).mean == pytest.approx(
        recorded["mean_iterator_age"][name], rel=0.15
    )


def test_no_record_is_lost_from_sight():
    """What arrived was in an invocation, or is left."""
    mapping = Mapping(batch_size=50, parallelization=2)
    traffic = Traffic(records=100, bytes=100)
    outcome = simulate(mapping, traffic, Function(invocation=0.1, record=0.0), seconds=20.0)
    assert outcome.arrived == pytest.approx(2_000, rel=0.1)
    assert outcome.left < 150
    assert outcome.records == pytest.approx(outcome.arrived / 2, rel=0.15)


def test_readers_share_what_a_shard_gives():
    """Records that three readers cannot all have grow old, however quick the function is."""
    quick = Function(invocation=0.01, record=0.0)
    mapping = Mapping(batch_size=1_000)
    alone = simulate(mapping, Traffic(records=100, bytes=10_000, readers=1), quick, seconds=20.0)
    crowded = simulate(mapping, Traffic(records=100, bytes=10_000, readers=3), quick, seconds=20.0)
    assert (alone.left < 150, crowded.left > 300) == (True, True)


def test_the_whole_world():
    """Envelopes, a stream with room to catch up, and no reader that starves."""
    made = plan(WORLD, latency=8.0)
    assert made.settings["RecordFormat"] == "envelope"
    assert made.settings["StreamMode"] == "PROVISIONED"
    assert made.reading_share < 1
    assert made.freshness <= 8
    assert any("written in 2 parts" in note for note in made.notes)
    assert sum(made.dollars.values()) > 100


def test_a_latency_that_cannot_be_had_is_said():
    """The quickest settings, and a note."""
    made = plan(Load(50.0, 750.0, 300, "given"), latency=1.0)
    assert made.settings["aggregator: MaximumBatchingWindowInSeconds"] == 1
    assert made.notes[0].startswith("1 s are not reached")


def test_settings_that_fall_behind_and_what_helps():
    """100 shards, ParallelizationFactor 1, BatchSize 100: 833 records/s a shard, of the 1,000 that come."""
    found = variants(
        Mapping(batch_size=100),
        Function(invocation=0.06, record=0.0006),
        rate=100_000,
        shards=100,
        record_bytes=750,
        readers=1,
        memory_mb=256,
    )
    by_name = {one.name: one for one in found}
    assert round(by_name["as given"].capacity) == 833
    assert not by_name["as given"].keeps_up
    assert by_name["as given"].outcome.left > 4_000
    for change in ("ParallelizationFactor 2", "BatchSize 500"):
        assert by_name[change].keeps_up
        assert by_name[change].outcome.high < 2
    assert by_name["BatchSize 500"].dollars < by_name["ParallelizationFactor 2"].dollars


def test_the_command_answers_with_figures(capsys):
    """The exit code says that the settings as given fall behind."""
    question = ["plan", "--rate", "30", "--batch-size", "1", "--invocation", "60ms", "--record", "0.6ms"]
    assert main(question) == 1
    told = capsys.readouterr().out
    assert "grows by" in told.splitlines()[2]
    assert "cheapest change that keeps up: " in told
    assert main([*question, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["keeps_up"] is False


@pytest.mark.parametrize("loads", [[], ["--rate", "5", "--stack", "x"]], ids=["none", "two"])
def test_one_load_is_planned_for(loads, capsys):
    """Neither none nor two."""
    assert main(["plan", *loads]) == 2
    assert "which load?" in capsys.readouterr().err


def test_a_recording_is_measured(tmp_path):
    """By the times of ingestion; what is no update is passed over."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [
        json.dumps({"target": {"icao_address": f"A{n % 7}", "timestamp": (begin + timedelta(seconds=n)).isoformat()}})
        for n in range(101)
    ]
    path = tmp_path / "recording.ndjson"
    path.write_text("\n".join([*lines, "{}"]))
    load = of_recording(path)
    assert (round(load.rate, 2), load.aircraft) == (1.01, 7)
    path.write_text(lines[0])
    with pytest.raises(OpsError, match="expected a recording of some minutes"):
        of_recording(path)
