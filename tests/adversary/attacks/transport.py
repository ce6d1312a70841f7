"""The connection breaks in every way, over and over, while Kinesis and S3 have troubles of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.aws import Throttle
from tests.adversary.feed import Break, Pause
from tests.adversary.plan import SETTLE, Run, Traffic
from tests.adversary.wire import Close, Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan


@kind("disconnects, garbage and cut lines lose and double nothing", weight=3)
def broken_connections(rng: Random, now: float) -> ConsumerPlan:
    """The body ends, is reset, turns to garbage or loses its framing; keys may come back in another order."""
    traffic = Traffic(rng, now, age=300)
    again = rng.random() < 0.5
    for _ in range(rng.randrange(2, 8)):
        for _ in range(rng.randrange(1, 15)):
            traffic.update(again=again)
            if rng.random() < 0.06:
                traffic.items.append(Break(rng.choice(["reset", "end", "garbage", "chunk"])))
        traffic.token()
        if rng.random() < 0.3:
            traffic.items.append(Pause(rng.choice([0.05, 0.3])))
    gzip = rng.choice(["gzip", "none"])
    return traffic.plan(Run(5.0), SETTLE, environment=(("COMPRESSION", gzip),), **record_format(rng))


@kind("everything at once, over several runs, loses nothing and keeps each aircraft's order", weight=4)
def storm(rng: Random, now: float) -> ConsumerPlan:
    """Disconnects, throttling, failing checkpoints, refused requests and frozen processes, together."""
    traffic = Traffic(rng, now, age=600, aircraft=rng.choice([5, 40]))
    runs = []
    for index in range(rng.randrange(2, 5)):
        traffic.gate(index)
        for _ in range(rng.randrange(1, 6)):
            for _ in range(rng.randrange(1, 20)):
                traffic.update()
                if rng.random() < 0.02:
                    traffic.items.append(Break(rng.choice(["reset", "end", "garbage"])))
            traffic.token()
        busy = Instead(Reply(503, b"<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>"))
        choices = [
            Rule("kinesis.PutRecords", Throttle(share=rng.choice([0.2, 0.6]))),
            Rule("kinesis.PutRecords", Throttle(keys=frozenset(rng.sample(traffic.addresses, 2)))),
            Rule("s3.put.checkpoint*", busy, chance=0.5),
            Rule("s3.put.checkpoint*", Close(), chance=0.3),
            Rule("feed.*", Instead(Reply(503, b"")), count=1),
            Rule("feed.*", Instead(Reply(401, b"")), count=1),
            Rule("kinesis.PutRecords", Close(executed=True), chance=0.2),
        ]
        rules = tuple(rng.sample(choices, rng.choice([1, 2, 3])))
        runs.append(Run(rng.choice([3.0, 4.0]), rules, frozen=rng.choice([0, 0.4]), lease_free=True))
    return traffic.plan(*runs, SETTLE, **record_format(rng))
