"""The stored token is refused: what was ingested since the last commit has to be fetched, whatever clocks say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.feed import Break
from tests.adversary.plan import SETTLE, Run, Traffic, stamp
from tests.adversary.wire import Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

_GONE = Instead(Reply(400, b'{"message":"Invalid position token"}'))
_AHEAD = (0.5, 5.0, 30.0, 300.0, 3_600.0, 72_000.0, 86_400.0 * 400, 86_400.0 * 365 * 7000)


@kind("a refused token loses nothing, whatever the clocks of single updates say", weight=3)
def wrong_clock_before_a_gap(rng: Random, now: float) -> ConsumerPlan:
    """Single updates carry ingestion times ahead of or behind the clock, a token is committed, and is refused next."""
    age = rng.choice([20.0, 900.0, 7_200.0, 36_000.0])
    traffic = Traffic(rng, now, age=age, step=rng.choice([0.02, 0.1]))
    tokens = rng.randrange(1, 8)
    wrong = rng.randrange(tokens)
    for index in range(tokens):
        for _ in range(rng.randrange(2, 10)):
            traffic.update()
        if index == wrong:
            for _ in range(rng.choice([1, 1, 3])):
                traffic.update(**_wrong_clock(rng, now))
        traffic.token()
    traffic.gate(1)
    traffic.skip(rng.choice([0.0, 1.0, age / 2]))
    for _ in range(rng.randrange(3, 40)):
        traffic.update()
        if rng.random() < 0.2:
            traffic.token()
    refused = (Rule("feed.stored", _GONE, count=1),)
    last = Run(SETTLE.seconds, refused, "settled", lease_free=True, fresh=rng.random() < 0.5)
    return traffic.plan(Run(3.0), last, **record_format(rng))


@kind("one wrong clock neither ends a run early nor is believed for a day", weight=1)
def wrong_clock_while_reading(rng: Random, now: float) -> ConsumerPlan:
    """Near the live edge or behind it, an update's ingestion time is ahead; the stream goes on, and the run with it.

    It has to be ahead still when it is read: a time of just now may be right, and an interval of the stream that long.
    """
    traffic = Traffic(rng, now, age=rng.choice([5.0, 20.0]), step=0.05)
    traffic.intervals(2, 5)
    traffic.update(**_wrong_clock(rng, now, least=300.0))
    traffic.intervals(rng.randrange(1, 5), 5)
    return traffic.plan(Run(7.0), SETTLE, **record_format(rng))


@kind("a refused token loses nothing when updates bear no ingestion time, or all the same", weight=1)
def gap_without_times(rng: Random, now: float) -> ConsumerPlan:
    """Ingestion times are absent, equal or the same as the last committed one."""
    traffic = Traffic(rng, now, age=rng.choice([60.0, 3_600.0]), step=rng.choice([0.0, 0.01]))
    same: dict[str, Any] = rng.choice([{}, {"ingestion_time": None}])
    traffic.intervals(rng.randrange(1, 5), rng.randrange(2, 10), **same)
    traffic.gate(1)
    for _ in range(rng.randrange(3, 30)):
        traffic.update(**(same if rng.random() < 0.7 else {}))
    traffic.token()
    last = Run(SETTLE.seconds, (Rule("feed.stored", _GONE, count=1),), "settled", lease_free=True)
    return traffic.plan(Run(3.0), last, **record_format(rng))


@kind("a gap's recovery survives faults on its way, and is finished by the next run", weight=1)
def disturbed_recovery(rng: Random, now: float) -> ConsumerPlan:
    """The batch requests of a recovery are refused, cut or answered with errors; a later run finishes it."""
    traffic = Traffic(rng, now, age=rng.choice([600.0, 3_600.0]))
    traffic.intervals(2, 5)
    traffic.gate(1)
    for _ in range(rng.randrange(10, 60)):
        traffic.update()
    traffic.token()
    refused = Rule("feed.stored", _GONE)
    trouble = Rule(
        "feed.batch",
        rng.choice([Instead(Reply(503, b"busy")), Instead(Reply(500, b"")), Instead(Reply(200, b""))]),
        count=rng.choice([1, 3, 99]),
    )
    if isinstance(trouble.manners, Instead) and trouble.manners.reply.status == 200:
        trouble = Rule("feed.batch", Instead(Reply(429, b"slow down", (("Retry-After", "1"),))), count=2)
    middle = Run(4.0, (refused, trouble))
    last = Run(14.0, (refused,), "settled", lease_free=True, fresh=rng.random() < 0.5)
    return traffic.plan(Run(3.0), middle, last, **record_format(rng))


@kind("what was published behind a refused token comes once, whichever process fetches the gap", weight=2)
def refused_behind_its_updates(rng: Random, now: float) -> ConsumerPlan:
    """The connection breaks behind a token and its updates, the token is refused, and the run ends before the gap."""
    traffic = Traffic(rng, now, age=rng.choice([20.0, 900.0, 3_600.0]), step=rng.choice([0.02, 0.5]))
    traffic.intervals(rng.randrange(1, 4), rng.randrange(2, 40))
    for _ in range(rng.randrange(1, 60)):
        traffic.update(**(_wrong_clock(rng, now) if rng.random() < 0.1 else {}))
    traffic.items.append(Break(rng.choice(["reset", "end", "chunk"])))
    traffic.gate(1)
    traffic.intervals(rng.randrange(1, 4), rng.randrange(2, 10))
    refused = Rule("feed.stored", _GONE, count=rng.choice([3, 5]))
    unfetched = Rule("feed.batch", Instead(Reply(rng.choice([429, 500, 503]), b"busy")))
    others = [Run(3.0, (unfetched,), fresh=rng.random() < 0.5) for _ in range(rng.randrange(3))]
    last = Run(SETTLE.seconds, (), "settled", lease_free=True, fresh=rng.random() < 0.7)
    return traffic.plan(Run(4.0, (refused, unfetched)), *others, last, **record_format(rng))


def _wrong_clock(rng: Random, now: float, least: float = 0.0) -> dict[str, Any]:
    """Draw an ingestion time that is `least` seconds ahead or more, or behind, and perhaps a timestamp to match."""
    ahead = rng.choice([each for each in _AHEAD if each >= least])
    wrong = min(now + ahead, 253_402_300_799.0)
    made: dict[str, Any] = {"ingestion_time": stamp(wrong)}
    if rng.random() < 0.3:
        made["timestamp"] = stamp(wrong - 2)
    if rng.random() < 0.2:
        made["ingestion_time"] = stamp(now - rng.choice([3_600.0, 86_400.0 * 30, now - 1]))
    return made
