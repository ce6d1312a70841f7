"""Whatever a function answers and whenever records come, none is lost, none is overtaken, and all end somewhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.event_source_mapping.failure import Discard
from local.event_source_mapping.observation import WindowClosed
from local.event_source_mapping.pace import Pace
from local.event_source_mapping.record import KinesisRecord
from local.event_source_mapping.settings import MappingSettings
from local.event_source_mapping.shard import Shard
from local.event_source_mapping.window import LARGEST_STATE
from local.runtime.invocation import InvocationResult, ThrottledError

KINDS = ["success", "error", "report", "unknown", "throttle", "no state", "large state"]

mappings = st.fixed_dictionaries(
    {
        "BatchSize": st.integers(1, 8),
        "MaximumBatchingWindowInSeconds": st.sampled_from([0, 3]),
        "MaximumRetryAttempts": st.integers(0, 3),
        "BisectBatchOnFunctionError": st.booleans(),
        "MaximumRecordAgeInSeconds": st.sampled_from([-1, 60]),
        "FunctionResponseTypes": st.sampled_from([[], ["ReportBatchItemFailures"]]),
        "FilterCriteria": st.sampled_from([{}, {"Filters": [{"Pattern": '{"data": {"wanted": [true]}}'}]}]),
    }
)
lanes = st.one_of(
    st.fixed_dictionaries({"TumblingWindowInSeconds": st.sampled_from([5, 60])}),
    st.fixed_dictionaries({"ParallelizationFactor": st.integers(1, 4)}),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 6)),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 3.0, 7.0, 65.0])),
        st.tuples(st.just("poll"), st.none()),
        st.tuples(st.just("work"), st.none()),
    ),
    max_size=30,
)
answers = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 7)), max_size=40)


class Function:
    """Answers as scripted, then succeeds. Keeps what it processed, in order, as its reports and answers say."""

    def __init__(self, mapping, script):
        self.windowed = mapping.tumbling_window > 0
        self.reports = mapping.report_batch_item_failures
        self.script = list(script)
        self.processed = []
        self.in_window = {}
        self.rows = []

    def __call__(self, event):
        records = [record["kinesis"] for record in event["Records"]]
        numbers = [int(record["sequenceNumber"]) for record in records]
        kind, place = self.script.pop() if self.script else ("success", 0)
        if kind == "throttle":
            raise ThrottledError
        if kind == "error" or (kind == "no state" and self.windowed):
            return InvocationResult("r", {"errorMessage": "scripted"}, "Unhandled", 0.0)
        answer: dict[str, Any] = {}
        failed = None
        if self.reports and numbers and kind == "report":
            failed = numbers[place % len(numbers)]
            answer["batchItemFailures"] = [{"itemIdentifier": str(failed)}]
        if self.reports and kind == "unknown":
            answer["batchItemFailures"] = [{"itemIdentifier": "unknown"}]
            return InvocationResult("r", answer | {"state": {}}, None, 0.0)
        done = [record for record in records if failed is None or int(record["sequenceNumber"]) < failed]
        self.processed += [(record["partitionKey"], int(record["sequenceNumber"])) for record in done]
        if self.windowed:
            seen = event["state"].get("seen", []) + [int(record["sequenceNumber"]) for record in done]
            if event["isFinalInvokeForWindow"] and failed is None:
                self.rows.append((event["window"]["start"], seen))
            answer["state"] = {"seen": seen}
            if kind == "large state":
                answer["state"]["held"] = "x" * LARGEST_STATE
        return InvocationResult("r", answer, None, 0.0)


class Run:
    """A shard and its function, taken through the steps and then to the end."""

    def __init__(self, configured, function):
        self.now = 1_000_000.0
        self.shard = Shard(configured, "shardId-0", Pace())
        self.function = function
        self.effects = []
        self.put = 0

    def step(self, name, argument):
        """Do one step."""
        if name == "put":
            for _ in range(argument):
                self.put += 1
                data = b'{"wanted": true}' if self.put % 3 else b'{"wanted": false}'
                self.shard.offer([KinesisRecord(str(self.put), f"key-{self.put % 5}", data, self.now)], self.now)
        elif name == "wait":
            self.now += argument
        elif name == "poll":
            self.shard.caught_up(self.now)
        else:
            self.work()

    def work(self):
        """Make the invocations that are due."""
        while due := self.shard.take(self.now):
            for one in due:
                try:
                    answer = self.function(json.loads(one.event))
                except ThrottledError:
                    self.shard.postpone(one, self.now, throttled=True)
                else:
                    self.shard.complete(one, answer, self.now)
        self.effects += self.shard.effects()

    def finish(self):
        """Go on until all is done with."""
        self.shard.end()
        for _ in range(400):
            if self.shard.idle:
                break
            self.now += 1
            self.work()
        self.effects += self.shard.effects()
        assert self.shard.idle

    @property
    def discards(self):
        """What was given up."""
        return [effect for effect in self.effects if isinstance(effect, Discard)]


@settings(max_examples=300, deadline=None)
@given(mapping=mappings, lane=lanes, script=answers, steps=steps)
def test_every_record_ends_once_and_in_order(mapping, lane, script, steps):
    """Every record is consumed, filtered or discarded, exactly once; in order per key; and every window is closed."""
    properties = {"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s", "StartingPosition": "LATEST"}
    configured = MappingSettings.from_properties(properties | mapping | lane, role_arn="r", uuid="u", function_arn="f")
    run = Run(configured, Function(configured, script))
    for name, argument in steps:
        run.step(name, argument)
    run.finish()

    wanted = [number for number in range(1, run.put + 1) if number % 3 or not mapping["FilterCriteria"]]
    processed = [number for _, number in run.function.processed]
    discarded = [int(record.sequence_number) for discard in run.discards for record in discard.records]
    assert sorted(processed + discarded) == wanted
    counters = run.shard.counters
    assert (counters.read, counters.consumed, counters.discarded) == (run.put, len(processed), len(discarded))
    assert counters.filtered == run.put - len(wanted)
    for key in {key for key, _ in run.function.processed}:
        of_key = [number for one, number in run.function.processed if one == key]
        assert of_key == sorted(of_key)
    if configured.tumbling_window:
        check_windows(run)


def check_windows(run):
    """All that was processed is in exactly one finished (or given up) window, and windows close once and in order."""
    given_up = [discard for discard in run.discards if not discard.records]
    states = [seen for _, seen in run.function.rows]
    states += [json.loads(discard.event)["state"].get("seen", []) for discard in given_up]
    in_windows = sorted(number for seen in states for number in seen)
    assert in_windows == sorted(number for _, number in run.function.processed)
    closed = [effect for effect in run.effects if isinstance(effect, WindowClosed)]
    assert len(closed) == len(run.function.rows)
    assert [window.start for window in closed] == sorted(window.start for window in closed)
    whole = [window.start for window in closed if not window.early]
    assert len(whole) == len(set(whole))
