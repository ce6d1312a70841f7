"""Commands about a stack: how it is, what passes, whether it is set up, and how it comes to rest."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from common.clock import rfc3339
from consumer.publish.envelope_writer import HeaderedUpdate, pack
from live import objects
from live.assembly import assemble
from live.container import Header
from live.layout import POSITIONS
from local import running
from ops import command_line, tail
from ops.command_line import main
from ops.drain import Drain
from ops.finding import gather
from ops.looks import Looks
from ops.stack import Stack

SHARDS = ("shardId-000000000000", "shardId-000000000001")


def ops(stack, *arguments, capsys):
    """Run a command on the local stack; give its exit code and the JSON that it printed."""
    command, *rest = arguments
    code = main([command, *rest, "--local", stack.endpoint, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def parts(answer):
    """The findings of an answer, by part; the last of each."""
    return {one["part"]: one for one in answer["parts"]}


def snapshot(shard, window_end, sequence="1", written_at=None):
    """An open window's object, without aircraft."""
    header = Header(
        shard=shard,
        window_start=window_end - 60_000,
        window_end=window_end,
        sequence=sequence,
        written_at=written_at or window_end,
        blocks=(),
    )
    return assemble(POSITIONS, header, [])


def pipeline_status(**fields):
    """What a healthy consumer says of itself."""
    healthy = {
        "written_at": rfc3339(datetime.now(UTC)),
        "committed_token_age_seconds": 4.0,
        "source_lag_seconds": 3.0,
        "received_per_second": 60.0,
        "published_per_second": 60.0,
        "reading_share": 0.98,
    }
    return json.dumps(healthy | fields).encode()


def test_a_stack_is_found_by_the_aws_it_runs_in(local_stack, capsys):
    """Without an address only that of `pipenv run local` is: never a test's, a benchmark's or a fault campaign's."""
    assert local_stack.endpoint not in running.endpoints()
    assert running.read_note(local_stack.endpoint).resources == local_stack.resources
    assert main(["status", "--local", "http://127.0.0.1:9"]) == 2
    assert "no local stack is there (yet)" in capsys.readouterr().err


def test_status_of_a_healthy_stack(local_stack, capsys):
    """All parts on one screen, and nothing to do."""
    local_stack.put("DataBucket", objects.STATUS, pipeline_status())
    local_stack.put("DataBucket", objects.SHARDS, json.dumps({"shards": {shard: {} for shard in SHARDS}}).encode())
    now = int(time.time() * 1_000)
    for shard in SHARDS:
        local_stack.put("DataBucket", objects.open_window(shard), snapshot(shard, now))
    code, [answer] = ops(local_stack, "status", capsys=capsys)
    assert (code, answer["healthy"]) == (0, True)
    assert {"consumer", "schedule", "stream", "aggregator", "alerts", "live objects", "given up"} <= parts(
        answer
    ).keys()
    assert parts(answer)["stream"]["facts"]["shards"] == 2
    assert main(["status", "--local", local_stack.endpoint]) == 0
    assert "all is well" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"run_failed": "PublishError"}, "its last run failed: PublishError"),
        ({"committed_token_age_seconds": 500.0}, "committed token [89].. min old"),
        ({"written_hours_ago": 2}, "committed token 2.. h old"),
    ],
    ids=["failed", "old", "silent"],
)
def test_status_of_a_consumer_that_does_not_get_on(local_stack, capsys, fields, said):
    """It needs attention, names the page, and the exit code says so."""
    if hours := fields.get("written_hours_ago"):
        fields = {"written_at": rfc3339(datetime.now(UTC) - timedelta(hours=hours))}
    local_stack.put("DataBucket", objects.STATUS, pipeline_status(**fields))
    code, [answer] = ops(local_stack, "status", capsys=capsys)
    consumer = next(one for one in answer["parts"] if one["part"] == "consumer")
    assert (code, consumer["state"]) == (1, "attention")
    assert re.search(said, consumer["text"])
    assert "docs/operations/" in consumer["do"]


def test_status_of_a_consumer_between_two_visits(local_stack, capsys):
    """A stack that is read periodically commits nothing in between; a visit that is late needs attention."""
    for minutes, state in ((12, "ok"), (20, "attention")):
        written_at = rfc3339(datetime.now(UTC) - timedelta(minutes=minutes))
        fields = {"written_at": written_at, "visits_every_seconds": 900}
        local_stack.put("DataBucket", objects.STATUS, pipeline_status(**fields))
        _, [answer] = ops(local_stack, "status", capsys=capsys)
        consumer = next(one for one in answer["parts"] if one["part"] == "consumer")
        assert consumer["state"] == state, minutes


def test_status_counts_what_was_given_up_and_rejected(local_stack, capsys):
    """What lies in the buckets needs somebody to look; what was redriven does not."""
    local_stack.put("FailuresBucket", "aws/lambda/uuid/shard/one", b"{}")
    local_stack.put("StateBucket", f"rejected/{datetime.now(UTC):%Y/%m/%d}/one.ndjson", b"{}\n")
    code, [answer] = ops(local_stack, "status", capsys=capsys)
    assert code == 1
    assert [parts(answer)[part]["state"] for part in ("given up", "rejected")] == ["attention", "attention"]
    local_stack.client("s3").put_object_tagging(
        Bucket=local_stack.resources["FailuresBucket"],
        Key="aws/lambda/uuid/shard/one",
        Tagging={"TagSet": [{"Key": "redriven", "Value": "2026"}]},
    )
    _, [answer] = ops(local_stack, "status", capsys=capsys)
    assert parts(answer)["given up"]["state"] == "ok"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"written_at": "yesterday", "shards": 1, "alerts": [{"id": 1}]}'])
def test_damaged_objects_are_named(local_stack, capsys, body):
    """What somebody has written there by hand ends no command in a trace, and needs attention."""
    for key in (objects.STATUS, objects.SHARDS, objects.ALERTS):
        local_stack.put("DataBucket", key, body)
    code, [answer] = ops(local_stack, "status", capsys=capsys)
    assert (code, parts(answer)["stream"]["state"]) == (1, "ok")
    assert parts(answer)["consumer"]["text"].startswith("live/status.json: damaged: ")
    assert parts(answer)["live objects"]["text"].startswith("live/shards.json: damaged: ")
    assert main(["tail", "alerts", "--once", "--local", local_stack.endpoint]) == 2
    assert "live/alerts.json: damaged: " in capsys.readouterr().err


@pytest.mark.parametrize("body", [b"{", b'{"version": 1, "lease": {"owner": "x", "expires_at": 7}}'])
def test_a_drain_that_ends_early_says_that_the_schedule_is_off(local_stack, capsys, body):
    """By a damaged checkpoint here, as by Ctrl-C; the first word is why."""
    local_stack.put("StateBucket", "checkpoint.json", body)
    assert main(["drain", "--local", local_stack.endpoint, "--yes"]) == 2
    assert main(["drain", "--local", local_stack.endpoint, "--resume"]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("ops: checkpoint.json: damaged: ")
    assert second == "the schedule of local is off, and stays so: `ops drain --resume` switches it on again"


@pytest.mark.parametrize("ended", [{"s3"}, {"s3", "events"}], ids=["while it drains", "before"])
@pytest.mark.parametrize("is_local", [True, False], ids=["local", "deployed"])
def test_a_drain_of_a_stack_that_does_not_answer(local_stack, capsys, monkeypatch, ended, is_local):
    """It is said why; of the schedule only where it was switched off and where there is still one."""
    there, gone = running.read_note(local_stack.endpoint), running.RunningStack("http://127.0.0.1:9", "local", {})
    stack = Stack("s", there.resources, lambda name: (gone if name in ended else there).client(name), is_local)
    monkeypatch.setattr(command_line, "find", lambda _: stack)
    assert main(["drain", "--stack", "s", "--yes"]) == 2
    first, *others = capsys.readouterr().err.splitlines()
    assert first.startswith("ops: Could not connect to the endpoint URL")
    assert bool(others) is (ended == {"s3"} and not is_local)
    local_stack.client("events").enable_rule(Name=there.resources["ConsumerSchedule"].rpartition("/")[2])


@pytest.mark.parametrize(("typed", "why"), [("y", "Give --yes as well"), ("", "not confirmed; nothing was changed")])
def test_a_drain_asks_before_it_switches_anything_off(local_stack, capsys, monkeypatch, typed, why):
    """On a terminal it takes a yes; where nobody could answer, it is said how to go on."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: not typed)
    assert main(["drain", "--local", local_stack.endpoint]) == 2
    assert why in capsys.readouterr().err
    rule = local_stack.resources["ConsumerSchedule"].rpartition("/")[2]
    assert local_stack.client("events").describe_rule(Name=rule)["State"] == "ENABLED"


def test_status_is_watched_through_a_pipe(local_stack, capsys, monkeypatch):
    """Each look is printed when it is made, for whoever reads along; a narrow terminal cuts nothing."""
    monkeypatch.setenv("COLUMNS", "20")
    looks = []

    def interrupt(seconds):
        looks.append((seconds, capsys.readouterr().out))
        if len(looks) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    assert main(["status", "--watch", "--every", "7s", "--local", local_stack.endpoint]) == 130
    for seconds, printed in looks:
        assert (seconds, "on-failure bucket" in " ".join(printed.split())) == (7.0, True)
        assert "…" not in printed


def test_a_part_that_cannot_be_looked_at_stops_no_other(local_stack):
    """It is said why, and the rest is there."""
    whole = running.read_note(local_stack.endpoint)
    less = {name: value for name, value in whole.resources.items() if name != "UpdatesStream"}
    findings = gather(Looks(Stack("local", less, whole.client), timedelta(minutes=5)).all(datetime.now(UTC)))
    stream = next(one for one in findings if one.part == "stream")
    assert (stream.state, "has no UpdatesStream" in stream.text) == ("unknown", True)
    assert any(one.state == "ok" for one in findings)


def test_a_stack_of_which_nothing_can_be_looked_at_is_not_well(local_stack, capsys, monkeypatch):
    """A local one has ended; of a deployed one a watch goes on, since the way to it may come back."""

    def unreachable():
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    monkeypatch.setattr(Looks, "all", lambda _, __: [("stream", unreachable), ("alarms", unreachable)])
    for watch in ([], ["--watch"]):
        assert main(["status", *watch, "--local", local_stack.endpoint]) == 2
        assert "ops: nothing can be looked at: Could not connect" in capsys.readouterr().err
    found = running.read_note(local_stack.endpoint)
    monkeypatch.setattr(command_line, "find", lambda _: Stack("deployed", found.resources, found.client))

    def interrupt(_):
        raise KeyboardInterrupt  # not by the signal: a shell may have it ignored

    monkeypatch.setattr(time, "sleep", interrupt)
    assert main(["status", "--watch", "--json", "--stack", "deployed"]) == 130
    answer = json.loads(capsys.readouterr().out)
    assert (answer["healthy"], parts(answer).keys()) == (False, {"stack"})


def test_tail_of_updates_opens_envelopes_and_asks_each(local_stack, capsys):
    """Singles and envelopes of every shard; a pattern is asked of each update."""
    kinesis, stream = local_stack.client("kinesis"), local_stack.resources["UpdatesStream"]
    made = []
    for squawk in ("1200", "7700"):
        data = json.dumps({"icao_address": "A4F0AB", "timestamp": "2024-03-04T23:23:59Z", "squawk": squawk}).encode()
        made.append(HeaderedUpdate(icao_address="A4F0AB", timestamp="2024-03-04T23:23:59Z", squawk=squawk))
        made[-1].data = data
    single = made[1].data.replace(b"A4F0AB", b"A4F0AC") + b"\n"
    answer = kinesis.put_record(StreamName=stream, PartitionKey="A4F0AC", Data=single)
    ((envelope, *_),) = pack(made, answer["ShardId"], 1_000_000)
    kinesis.put_record(StreamName=stream, PartitionKey="A4F0AC", Data=envelope)
    wanted = '{"data":{"squawk":["7700"]}}'
    code, lines = ops(local_stack, "tail", "updates", "--since", "1m", "--once", "--pattern", wanted, capsys=capsys)
    assert code == 0
    assert [(line["icao_address"], line["squawk"]) for line in lines] == [("A4F0AC", "7700"), ("A4F0AB", "7700")]


def test_tail_of_what_lies_in_s3(local_stack, capsys):
    """Rows as Firehose wrote them, alerts, rejected lines, and failures with their reason."""
    row = {"kind": "totals", "updates": 3}
    local_stack.client("firehose").put_record(
        DeliveryStreamName=local_stack.resources["WindowRows"], Record={"Data": json.dumps(row).encode() + b"\n"}
    )
    sent = {"id": "one", "rule": "emergency_squawk", "sent_at": rfc3339(datetime.now(UTC))}
    old = sent | {"id": "old", "sent_at": "2024-03-04T23:23:59.000Z"}
    local_stack.put("DataBucket", objects.ALERTS, json.dumps({"version": 1, "alerts": [sent, old]}).encode())
    rejected = {"reason": "no JSON", "line": "x"}
    local_stack.put(
        "StateBucket", f"rejected/{datetime.now(UTC):%Y/%m/%d}/one.ndjson", json.dumps(rejected).encode() + b"\n"
    )
    local_stack.put("FailuresBucket", "aws/lambda/uuid/shard/one", b"{}")

    def shown(what):
        code, lines = ops(local_stack, "tail", what, "--since", "1m", "--once", capsys=capsys)
        assert code == 0
        return lines

    assert shown("windows") == [row]
    assert shown("alerts") == [sent]
    assert shown("rejected") == [rejected]
    [failure] = shown("failures")
    assert "not read" in failure["problem"]


class Growing:
    """A source that has one more line at each look."""

    interval = 3.0

    def __init__(self):
        self.count = itertools.count()

    def new(self):
        """The next line."""
        yield str(next(self.count)).encode()


def test_following_waits_between_looks_and_ends_at_its_limit():
    """What a pattern leaves out does not count."""
    shown, waits = [], []
    tail.follow(Growing(), lambda line: int(line) % 2 == 0, show=shown.append, limit=3, pause=waits.append)
    assert shown == [b"0", b"2", b"4"]
    assert waits == [3.0] * 4


def test_doctor_finds_what_was_changed_by_hand(local_stack, capsys):
    """A schedule that is off, a mapping at other settings, a secret without a value: each with what to do."""
    events, client = local_stack.client("events"), local_stack.client("lambda")
    rule = local_stack.resources["ConsumerSchedule"].rpartition("/")[2]
    [mapping] = client.list_event_source_mappings(FunctionName=local_stack.resources["AggregatorFunction"])[
        "EventSourceMappings"
    ]
    _, [before] = ops(local_stack, "doctor", capsys=capsys)
    healthy = parts(before)
    events.disable_rule(Name=rule)
    client.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=77)
    try:
        code, [after] = ops(local_stack, "doctor", capsys=capsys)
    finally:
        events.enable_rule(Name=rule)
        client.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=mapping["BatchSize"])
    assert [
        healthy[part]["state"] for part in ("deployment", "token", "schedule", "mappings", "retention", "clock")
    ] == ["ok"] * 6
    assert parts(after)["schedule"]["state"] == "attention"
    assert parts(after)["schedule"]["do"].startswith("`ops drain --resume`")
    differing = [one["text"] for one in after["parts"] if one["part"] == "mappings" and one["state"] == "attention"]
    assert differing == ["AggregatorFunctionUpdates: BatchSize is 77, the template says 2000"]
    assert parts(after)["subscriptions to alarms"]["do"] == "deploy with AlarmEmail, or subscribe"
    assert code == 1


class Clock:
    """A clock that goes on when somebody waits, and has something happen at each wait."""

    def __init__(self, *steps):
        self.seconds = 0.0
        self.steps = list(steps)

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += max(seconds, 30.0)
        if self.steps:
            self.steps.pop(0)()


def test_drain_waits_for_the_run_the_records_and_the_windows(local_stack):
    """Each in its turn; nothing is at rest while a tick may be under way, and the schedule is off all the time."""
    kinesis, stream = local_stack.client("kinesis"), local_stack.resources["UpdatesStream"]
    first = kinesis.put_record(StreamName=stream, PartitionKey="a", Data=b"1")
    shard, end = first["ShardId"], 1_767_225_660_000
    last = kinesis.put_record(StreamName=stream, PartitionKey="a", Data=b"2")

    def lease(expires_at):
        content = {"version": 1, "lease": expires_at and {"owner": "x", "expires_at": expires_at}}
        local_stack.put("StateBucket", "checkpoint.json", json.dumps(content).encode())

    def read_until(record):
        local_stack.put("DataBucket", objects.open_window(shard), snapshot(shard, end, record["SequenceNumber"]))

    lease("2026-01-01T00:10:00Z")
    read_until(first)
    local_stack.put("DataBucket", objects.SHARDS, json.dumps({"shards": {shard: {}}}).encode())
    clock = Clock(
        lambda: lease("2026-01-01T00:20:00Z"),  # renewed at a token, of which nothing is said
        lambda: lease(None),
        lambda: read_until(last),
        lambda: local_stack.put("DataBucket", objects.closed_window(shard, end), b"closed"),
    )
    found = running.read_note(local_stack.endpoint)
    drain = Drain(Stack("deployed", found.resources, found.client), clock)
    printed = []
    drain.switch(on=False)
    rule = local_stack.resources["ConsumerSchedule"].rpartition("/")[2]
    assert local_stack.client("events").describe_rule(Name=rule)["State"] == "DISABLED"
    assert not Drain(Stack("deployed", found.resources, found.client), Clock()).wait(60.0, lambda _: None)
    assert drain.wait(1_500.0, printed.append)
    drain.switch(on=True)
    assert printed == [
        "a run is under way (its lease: until 2026-01-01T00:10:00Z)",
        f"not read to the end: {shard}; windows open: {shard} until 00:01:00",
        f"windows open: {shard} until 00:01:00",
        "at rest: no run, nothing unread, no window open",
    ]


def test_a_tick_may_still_be_under_way(local_stack):
    """A stack that looks at rest is not taken for it before Lambda's queue has forgotten the last tick."""
    found, printed = running.read_note(local_stack.endpoint), []
    clock = Clock()
    assert Drain(Stack("deployed", found.resources, found.client), clock).wait(1_500.0, printed.append)
    assert printed[0] == "waiting for a tick that may be under way"
    assert clock.seconds >= 75
