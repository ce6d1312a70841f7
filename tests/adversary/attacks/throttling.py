"""Kinesis refuses: one key, one shard, records at random, all; over several runs in one process, with answers open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.aws import Throttle
from tests.adversary.plan import SETTLE, Run, Traffic
from tests.adversary.wire import Close, Delay, Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

PUT = "kinesis.PutRecords"


def record_format(rng: Random) -> dict[str, Any]:
    """Draw a record format and a number of shards."""
    return {"record_format": rng.choice(["single", "envelope"]), "shards": rng.choice([1, 2, 4])}


@kind("no duplicate when a run ends at its deadline with a key throttled and many tokens open", weight=3)
def hot_until_the_deadline(rng: Random, now: float) -> ConsumerPlan:
    """One aircraft, or one shard, is refused until run 1 ends; run 2 in the same process finds Kinesis well."""
    traffic = Traffic(rng, now, aircraft=rng.choice([5, 20, 60]))
    traffic.intervals(rng.randrange(3, 30), rng.randrange(5, 30))
    form = record_format(rng)
    if form["record_format"] == "single":
        throttle = Throttle(keys=frozenset(rng.sample(traffic.addresses, rng.choice([1, 1, 3]))))
    else:
        form["shards"] = rng.choice([2, 4])
        throttle = Throttle(shards=frozenset([rng.randrange(form["shards"])]))
    hot = [
        Run(rng.choice([3.0, 4.0]), (Rule(PUT, throttle),), frozen=rng.choice([0, 0.5]))
        for _ in range(rng.choice([1, 1, 2]))
    ]
    return traffic.plan(*hot, SETTLE, **form)


@kind("no loss, duplicate or disorder under partial failures at random over several runs", weight=3)
def partial_failures(rng: Random, now: float) -> ConsumerPlan:
    """A share of all records is refused in several runs, and what comes meanwhile waits behind it."""
    traffic = Traffic(rng, now, aircraft=rng.choice([3, 20, 150]))
    form = record_format(rng)
    runs = []
    for index in range(rng.randrange(2, 5)):
        traffic.gate(index)
        traffic.intervals(rng.randrange(2, 12), rng.randrange(3, 40))
        share = Throttle(
            share=rng.choice([0.1, 0.4, 0.8, 0.97]),
            code=rng.choice(["ProvisionedThroughputExceededException", "InternalFailure"]),
        )
        runs.append(Run(3.0, (Rule(PUT, share),), frozen=rng.choice([0, 0.3])))
    return traffic.plan(*runs, SETTLE, **form)


@kind("no duplicate when Kinesis refuses whole calls until the deadline", weight=1)
def refused_calls(rng: Random, now: float) -> ConsumerPlan:
    """Whole calls are refused or reset before they are carried out."""
    traffic = Traffic(rng, now)
    traffic.intervals(rng.randrange(3, 20), rng.randrange(3, 30))
    body = b'{"__type":"ProvisionedThroughputExceededException","message":"Rate exceeded"}'
    manners = rng.choice([Instead(Reply(400, body)), Instead(Reply(503, b"<html>busy</html>"))])
    rules = (Rule(PUT, manners, chance=rng.choice([0.5, 1.0])),)
    return traffic.plan(Run(3.5, rules), SETTLE, **record_format(rng))


@kind("a lost answer doubles no more than its own call, and nothing older than the committed token", weight=1)
def lost_answers(rng: Random, now: float) -> ConsumerPlan:
    """Calls are carried out, and their answers lost, late, or open when the run ends."""
    traffic = Traffic(rng, now)
    traffic.intervals(rng.randrange(3, 20), rng.randrange(3, 30))
    manners = rng.choice(
        [Close(executed=True), Delay(rng.choice([1.0, 6.0]), executed=True), Instead(Reply(500, b"{}"), executed=True)]
    )
    runs = [Run(3.5, (Rule(PUT, manners, chance=rng.choice([0.3, 1.0])),)) for _ in range(rng.choice([1, 2]))]
    return traffic.plan(*runs, SETTLE, **record_format(rng))


@kind("after a kill nothing is lost, and nothing older than the committed token comes again", weight=1)
def killed(rng: Random, now: float) -> ConsumerPlan:
    """The process is killed in the middle of its work, more than once."""
    traffic = Traffic(rng, now)
    runs = []
    for index in range(rng.choice([1, 2, 3])):
        traffic.gate(index)
        traffic.intervals(rng.randrange(3, 20), rng.randrange(3, 30))
        share = Throttle(share=rng.choice([0.0, 0.5]))
        runs.append(Run(4.0, (Rule(PUT, share),), end="kill", after=rng.uniform(0.3, 1.5), lease_free=True))
    return traffic.plan(*runs, SETTLE, **record_format(rng))
