"""What the consumer published, handed on to the functions that read it: whatever it lets through, they have to take."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.adversary import judge_events, mapping
from tests.adversary.events import FunctionPlan, Given

if TYPE_CHECKING:
    from tests.adversary.judge import Broken
    from tests.adversary.ledger import Ledger


def follow(ledger: Ledger, tolerance: float) -> list[Broken]:
    """Let the aggregator and the alerts function read every record of an attack; return what that breaks."""
    shards: dict[str, list[Given]] = defaultdict(list)
    for record in ledger.records:
        shards[record.shard].append(Given(record.data, record.key))
    arrived: dict[str, set[int]] = defaultdict(set)
    for arrival in ledger.arrivals:
        arrived[arrival.shard].add(arrival.number)
    broken: list[Broken] = []
    for shard, records in sorted(shards.items()):
        plans = (
            FunctionPlan("aggregator", (tuple(records),), megabytes=1024, shard=shard, total=len(arrived[shard])),
            FunctionPlan("alerts", (tuple(records),), shard=shard, alerts=None),
        )
        for plan in plans:
            broken += judge_events.judge(plan, mapping.play(plan), tolerance)
    return broken
