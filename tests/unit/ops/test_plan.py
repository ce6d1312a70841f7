"""`ops plan`: the simulation behind it, the settings it chooses, and what it says of settings as they are."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.cost.envelope_size import RecordSize
from benchmarks.cost.model import BATCH_SECONDS
from benchmarks.iterator_age.cases import CASES, RECORDED
from ops.command_line import main
from ops.errors import OpsError
from ops.plan import alerts, check
from ops.plan.choice import HEADROOM, STATE_BOUND, Wishes, plan
from ops.plan.load import Load, of_recording
from ops.plan.simulation import Function, Mapping, Traffic, simulate
from ops.plan.variants import variants
from ops.template import DeployedTemplate

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
    made = plan(WORLD, Wishes())
    assert made.settings["RecordFormat"] == "envelope"
    assert made.settings["StreamMode"] == "PROVISIONED"
    assert made.settings["aggregator: MaximumBatchingWindowInSeconds"] == BATCH_SECONDS
    assert (made.settings["RetentionHours"], made.settings["AlertsFanOut"]) == (24, "off")
    assert made.reading_share < 1
    assert made.freshness <= 8
    assert any("written in 2 parts" in note for note in made.notes)
    assert sum(made.dollars.values()) > 100


def test_a_latency_that_cannot_be_had_is_said():
    """The quickest settings, and a note."""
    made = plan(Load(50.0, 750.0, 300, "given"), Wishes(latency=1.0))
    assert made.settings["aggregator: MaximumBatchingWindowInSeconds"] == 1
    assert made.notes[0].startswith("1 s are not reached")


def test_a_window_is_as_long_as_its_state_allows():
    """Longer ones are written in parts, and it is said which would fit into one."""
    [note] = [note for note in plan(WORLD, Wishes()).notes if "parts" in note]
    fits = int(re.search(r"windows of (\d+) s fit", note)[1])
    made = plan(WORLD, Wishes(window=fits))
    assert made.state_bytes <= STATE_BOUND < plan(WORLD, Wishes(window=fits + 2)).state_bytes
    assert not [note for note in made.notes if "parts" in note]


@pytest.mark.parametrize(("hours", "kept"), [(6, 24), (7, 48), (40, 168), (500, 720)])
def test_records_are_kept_for_the_outage_that_is_to_be_survived(hours, kept):
    """Four times as long, since a record is given up after a quarter; what it costs is an item of its own."""
    made = plan(Load(50.0, 750.0, 300, "given"), Wishes(outage=hours * 3600.0))
    assert made.settings["RetentionHours"] == kept
    assert (f"Kinesis, {kept} hours kept" in made.dollars) == (kept > 24)
    assert any("7 days at most" in note for note in made.notes) == (hours > 168)


def test_alerts_that_are_to_be_sent_at_once_get_a_reader_of_their_own():
    """Lambda looks once a second; what is pushed is there sooner, and costs."""
    load = Load(50.0, 750.0, 300, "given")
    shared, pushed = plan(load, Wishes()), plan(load, Wishes(alerts_within=0.5))
    assert [one.settings["AlertsFanOut"] for one in (shared, pushed)] == ["off", "on"]
    assert pushed.alerts_within < 0.5 < shared.alerts_within
    assert pushed.reading_share < shared.reading_share
    assert sum(pushed.dollars.values()) - sum(shared.dollars.values()) > 10
    assert any("do not" in note or "does not" in note for note in plan(load, Wishes(alerts_within=0.01)).notes)


def test_many_alerts_take_more_lanes():
    """The fewest that keep up with room to catch up; where none do, it is said."""
    record = RecordSize(1, 750, 90)

    def chosen(matching):
        load = Load(900.0, 750.0, 3_000, "given", matching)
        return alerts.choose(load, record, 1, within=5.0, headroom=HEADROOM)

    few, many, too_many = chosen(0.001), chosen(0.1), chosen(1.0)
    assert (few.lanes, few.keeps_up) == (1, True)
    assert 1 < many.lanes <= 10
    assert many.within < 5
    assert (too_many.lanes, too_many.keeps_up) == (10, False)
    noted = plan(Load(900.0, 750.0, 3_000, "given", 1.0), Wishes()).notes
    assert any("falls behind at any AlertsParallelization" in note for note in noted)


def test_a_template_is_held_against_the_plan(repository, capsys):
    """Each setting that differs, with both values; the exit code says so. Once it is as planned, there is none."""
    question = ["plan", "--check", str(repository / "template.yaml"), "--rate", "4000", "--aircraft", "12000"]
    assert main([*question, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["exceeded"] == []
    differing = {one["setting"]: (one["has"], one["planned"]) for one in found["differences"]}
    assert differing["RecordFormat"] == ("single", "envelope")
    assert differing["StreamMode"] == ("ON_DEMAND", "PROVISIONED")
    assert "aggregator: BatchSize" not in differing
    assert main(question) == 1
    assert "not as planned for it" in capsys.readouterr().out


def test_what_is_as_planned_differs_in_nothing():
    """A deployed stack's values are its parameters, and shards are compared where somebody sets them."""
    settings = plan(WORLD, Wishes()).settings
    names = [name for name in settings if ":" not in name]
    mapping = {"BatchSize": 2000, "MaximumBatchingWindowInSeconds": 4}
    resources = {"AggregatorFunctionUpdates": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping}}
    parameters = {name: str(settings[name]) for name in names}
    assert check.differences(DeployedTemplate(resources, parameters, {}), settings) == []
    fewer = DeployedTemplate(resources, parameters | {"ShardCount": "1"}, {})
    assert [(one.setting, one.has) for one in check.differences(fewer, settings)] == [("ShardCount", "1")]
    on_demand = DeployedTemplate(resources, parameters | {"StreamMode": "ON_DEMAND"}, {})
    assert [one.setting for one in check.differences(on_demand, settings)] == ["StreamMode", "ShardCount"]


def test_there_has_to_be_something_to_check(capsys):
    """Neither a file nor a stack."""
    assert main(["plan", "--check"]) == 2
    assert "Give the FILE of a template, or --stack NAME" in capsys.readouterr().err


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
    output = capsys.readouterr().out
    assert "grows by" in output.splitlines()[2]
    assert "cheapest change that keeps up: " in output
    assert main([*question, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["keeps_up"] is False


@pytest.mark.parametrize("loads", [[], ["--rate", "5", "--stack", "x"]], ids=["none", "two"])
def test_one_load_is_planned_for(loads, capsys):
    """Neither none nor two."""
    assert main(["plan", *loads]) == 2
    assert "which load?" in capsys.readouterr().err


@pytest.mark.parametrize("hours", ["361", "1e8", "0"])
def test_the_busiest_minute_is_looked_for_where_minutes_are_kept(hours, capsys):
    """CloudWatch keeps each for 15 days."""
    with pytest.raises(SystemExit):
        main(["plan", "--stack", "s", "--hours", hours])
    assert "expected" in capsys.readouterr().err


def test_a_recording_is_measured(tmp_path):
    """By the times of ingestion; what is no update is skipped."""
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
