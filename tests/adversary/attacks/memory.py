"""A small function, and a provider that has more to say than it can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.aws import Throttle
from tests.adversary.feed import Flood, Token
from tests.adversary.plan import Bounds, Run, Traffic, stamp
from tests.adversary.wire import Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

_RUN = Run(9.0)


@kind("lines without end that are no updates stay within 256 MB", weight=1)
def flood_of_nothing(rng: Random, now: float) -> ConsumerPlan:
    """Millions of short lines that compress to nothing, and no token among them."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(1, 5)
    line = rng.choice(
        [
            b"{}\n",
            b"\n",
            b"null\n",
            b'{"target":{}}\n',
            b"x\n",
            b'{"status":{"level":"WARN","message":"m","code":1}}\n',
            b'{"a":1}\n',
        ]
    )
    traffic.items.append(Flood(line * 10_000, rng.choice([50, 210])))
    traffic.token()
    return traffic.plan(_RUN, heals=False, bounds=Bounds(log=300_000), **record_format(rng))


@kind("tokens behind an update that Kinesis does not take stay within 256 MB", weight=1)
def flood_of_tokens(rng: Random, now: float) -> ConsumerPlan:
    """One update is refused for good, and tokens without updates follow it in hundreds of thousands."""
    traffic = Traffic(rng, now, age=300, aircraft=2)
    traffic.update(traffic.addresses[0])
    traffic.token()
    traffic.items.append(
        Flood(b"".join(b'{"position_token":"tok-2-%d"}\n' % index for index in range(5_000)), rng.choice([40, 120]))
    )
    traffic.items.append(Token())
    throttle = Throttle(keys=frozenset([traffic.addresses[0], "shardId-000000000000"]), shards=frozenset([0]))
    return traffic.plan(Run(9.0, (Rule("kinesis.PutRecords", throttle),)), heals=False, **record_format(rng))


@kind("one line without an end stays within 256 MB", weight=1)
def endless_line(rng: Random, now: float) -> ConsumerPlan:
    """A line of hundreds of megabytes, some of it within a string, some of it nesting."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(1, 5)
    traffic.items.append(Flood(b'{"target":{"a":"', 1))
    traffic.items.append(
        Flood(rng.choice([b"x", b"[", b"\\u0000", b"\x00", b'{"a":']) * 65_536, rng.choice([500, 3_000]))
    )
    traffic.items.append(Flood(b"\n", 1))
    traffic.intervals(2, 5)
    return traffic.plan(_RUN, heals=False, **record_format(rng))


@kind("updates of one ingestion time do not swell the checkpoint", weight=1)
def one_moment(rng: Random, now: float) -> ConsumerPlan:
    """Tens of thousands of updates bear the same ingestion time, with tokens among them."""
    traffic = Traffic(rng, now, age=300, aircraft=3_000)
    moment = stamp(now - 300)
    for index in range(rng.choice([8_000, 20_000])):
        traffic.update(ingestion_time=moment)
        if index % 200 == 0:
            traffic.token()
    traffic.token()
    return traffic.plan(Run(12.0), heals=False, bounds=Bounds(checkpoint=20_000), **record_format(rng))


@kind("updates without any token stay within 256 MB", weight=1)
def no_tokens(rng: Random, now: float) -> ConsumerPlan:
    """Hundreds of thousands of different updates, and no token."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(1, 3)
    when = stamp(now - 100)
    pad = "p" * rng.choice([1, 100])
    block = b"".join(
        f'{{"target":{{"ingestion_time":"{when}","icao_address":"{index:06X}","timestamp":"{when}","pad":"{pad}"}}}}\n'.encode()
        for index in range(60_000)
    )
    traffic.items.append(Flood(block, rng.choice([1, 3])))
    return traffic.plan(Run(12.0), heals=False, may_double=True, idle=None, **record_format(rng))
