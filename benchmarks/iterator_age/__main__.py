"""Iterator age of real pollers, in real time, beside what `ops plan`'s simulation says of the same load.

`python -m benchmarks.iterator_age` compares; with `--record` it writes `ops/plan/recorded.json`, which a test
holds the simulation to. The pollers are the local stack's with their threads and the machine's clock; the stream
is a list of records that come to light as they arrive, and the function sleeps.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from benchmarks.iterator_age.cases import CASES, RECORDED, SECONDS
from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping
from local.runtime.invocation import InvocationResult
from ops.plan.simulation import BEGIN, arrivals, simulate

if TYPE_CHECKING:
    from local.event_source_mapping.record import KinesisRecord
    from ops.plan.simulation import Function, Mapping, Traffic


class _Stream:
    """Kinesis with one shard: its records are there from the moment they arrive."""

    def __init__(self, traffic: Traffic, began: float) -> None:
        last = BEGIN + SECONDS
        self._records = list(takewhile(lambda record: record.arrival < last, arrivals(traffic, seed=1)))
        self._shift = began - BEGIN
        self.exceptions = type("Exceptions", (), {"ExpiredIteratorException": KeyError})

    def get_paginator(self, _operation: str) -> Any:
        """Return what lists one open shard."""
        page = {"Shards": [{"ShardId": "shardId-000000000000", "SequenceNumberRange": {"StartingSequenceNumber": "0"}}]}
        return type("Pages", (), {"paginate": staticmethod(lambda **_: [page])})

    def get_shard_iterator(self, **_: Any) -> dict[str, str]:
        """Return the beginning."""
        return {"ShardIterator": "0"}

    def get_records(self, *, ShardIterator: str, Limit: int, StreamARN: str) -> dict[str, Any]:  # noqa: ARG002, N803 - AWS's
        """Return what has arrived by now."""
        now, place = SystemClock().now(), int(ShardIterator)
        found: list[KinesisRecord] = list(
            takewhile(lambda record: record.arrival + self._shift <= now, self._records[place : place + Limit])
        )
        return {
            "Records": [
                {
                    "SequenceNumber": record.sequence_number,
                    "PartitionKey": record.partition_key,
                    "Data": record.data,
                    "ApproximateArrivalTimestamp": datetime.fromtimestamp(record.arrival + self._shift, UTC),
                }
                for record in found
            ],
            "NextShardIterator": str(place + len(found)),
            "MillisBehindLatest": 0,
        }


def measure(mapping: Mapping, traffic: Traffic, function: Function) -> float:
    """Return the mean iterator age of the second half of a run, in seconds."""
    clock = SystemClock()
    phase = mapping.tumbling_window or 1  # windows are aligned to the epoch: both runs begin at the same place in one
    threading.Event().wait(phase - (clock.now() - BEGIN) % phase)
    began = clock.now()
    ages: list[float] = []

    def invoke(event: bytes) -> InvocationResult:
        now = clock.now()
        records = json.loads(event)["Records"]
        if records and began + SECONDS / 2 <= now < began + SECONDS:
            ages.append(now - records[-1]["kinesis"]["approximateArrivalTimestamp"])
        time.sleep(max(0.0, function.seconds(len(records)) - (clock.now() - now)))
        return InvocationResult("measured", {"state": {}} if mapping.tumbling_window else None, None, 0.0)

    kinesis: Any = _Stream(traffic, began)
    nowhere: Any = None
    destinations = DestinationClients(s3=nowhere, sqs=nowhere, sns=nowhere)
    running = EventSourceMapping(mapping.settings(), invoke, kinesis, destinations, clock)
    running.start()
    threading.Event().wait(SECONDS)
    running.stop(now=True)
    return sum(ages) / len(ages)


def main(arguments: list[str] | None = None) -> int:
    """Measure all cases at once: they sleep nearly all the time; print them beside the simulation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.iterator_age", description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"write {RECORDED.name}")
    options = parser.parse_args(arguments)
    measured: dict[str, float] = {}

    def note(name: str) -> None:
        measured[name] = round(measure(*CASES[name]), 3)

    threads = [threading.Thread(target=note, args=(name,)) for name in CASES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, case in CASES.items():
        simulated = simulate(*case, seconds=SECONDS).mean
        difference = 100 * (simulated / measured[name] - 1)
        sys.stdout.write(
            f"{name}: measured {measured[name]:.2f} s, simulated {simulated:.2f} s ({difference:+.1f} %)\n"
        )
    if options.record:
        RECORDED.write_text(json.dumps({"seconds": SECONDS, "mean_iterator_age": measured}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
