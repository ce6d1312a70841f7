"""Streams that are allowed, and unlike any that was recorded: their tokens, framing, shards and pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import PUT, record_format
from tests.adversary.aws import Reshard, Throttle
from tests.adversary.feed import Break, Flood, Pause, Token
from tests.adversary.plan import SETTLE, Run, Traffic, stamp
from tests.adversary.wire import Delay, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

_TAILS = (
    "&end=2024",
    "#x",
    "%0d%0a",
    "?",
    " ",
    "+/==",
    "\u00e9\u2028\u202e",
    '"\\\\"',
    "\x00",
    "x" * 3_000,
    ";;",
    "=",
    "\U0001f6e9",
)


@kind("nothing comes twice when the first token is long in coming", weight=2)
def no_first_token(rng: Random, now: float) -> ConsumerPlan:
    """Before any token: the connection breaks, or the run ends at its deadline, and all is read again."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(rng.randrange(3, 40)):
        traffic.update()
    if rng.random() < 0.5:
        traffic.items.append(Break(rng.choice(["reset", "end", "garbage"]), times=rng.choice([1, 3])))
    else:
        traffic.items.append(Pause(3.5))
    for _ in range(5):
        traffic.update()
    traffic.token()
    traffic.intervals(2, 3)
    return traffic.plan(Run(3.0), Run(3.0), SETTLE, **record_format(rng))


@kind("a token comes back to the byte as it was sent, whatever it holds", weight=1)
def odd_tokens(rng: Random, now: float) -> ConsumerPlan:
    """Tokens hold what URLs, JSON and terminals care for; others are no texts at all."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(4):
        traffic.intervals(1, 3)
        traffic.items.append(Token(rng.choice(_TAILS)))
        if rng.random() < 0.5:
            odd = rng.choice([b"5", b"null", b'""', b"[]", b'{"a":1}', b"true", b'"\\ud800"'])
            traffic.line(b'{"position_token":' + odd + b"}")
        traffic.update()
        if rng.random() < 0.7:
            traffic.items.append(Break("reset"))
    traffic.items.append(Token(rng.choice(_TAILS)))
    return traffic.plan(Run(4.0), Run(3.0), SETTLE, idle=0.2, **record_format(rng))


@kind("however HTTP and gzip frame the stream, it is read the same, and as it comes", weight=2)
def odd_framing(rng: Random, now: float) -> ConsumerPlan:
    """Tiny chunks, extensions, gzip members, no framing at all, gzip that nothing announces; breaks between."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(rng.randrange(2, 5)):
        for _ in range(rng.randrange(1, 8)):
            traffic.update()
            if rng.random() < 0.1:
                traffic.items.append(Break(rng.choice(["reset", "end"])))
        traffic.token()
        traffic.items.append(Pause(0.1))
    framing = rng.choice(["tiny", "extended", "close", "members", "silent"])
    form = record_format(rng) | {"environment": (("COMPRESSION", rng.choice(["gzip", "none"])),)}
    return traffic.plan(Run(4.0), SETTLE, framing=framing, **form)


@kind("a stream that is resharded loses nothing, and no update counts twice", weight=2)
def resharded(rng: Random, now: float) -> ConsumerPlan:
    """Shards split and merge between two calls, in the middle of a run, with records refused meanwhile."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(rng.randrange(5, 25)):
        traffic.intervals(1, rng.randrange(1, 20))
        traffic.items.append(Pause(rng.choice([0.0, 0.1])))
    form: dict[str, Any] = record_format(rng)
    rules = [Rule(PUT, Reshard(rng.choice([1, 2, 4, 8])), first=call, count=1) for call in rng.sample(range(12), 3)]
    rules.append(Rule(PUT, Throttle(share=rng.choice([0.0, 0.3]))))
    return traffic.plan(Run(6.0, tuple(rules)), SETTLE, moves=True, **form)


@kind("a minute of one hot key before a deadline doubles nothing, however much was published behind it", weight=1)
def long_hot_key(rng: Random, now: float) -> ConsumerPlan:
    """One aircraft is refused while tens of thousands of others' updates are taken, tokens and all."""
    traffic = Traffic(rng, now, age=300, step=0.001, aircraft=400)
    traffic.intervals(rng.choice([30, 100]), rng.choice([100, 400]))
    throttle = Throttle(keys=frozenset([traffic.addresses[0]]), shards=frozenset([0]))
    form = rng.choice([{"record_format": "single", "shards": 1}, {"record_format": "envelope", "shards": 4}])
    if form["record_format"] == "single":
        throttle = Throttle(keys=throttle.keys)
    return traffic.plan(Run(rng.choice([6.0, 9.0]), (Rule(PUT, throttle),)), SETTLE, **form)


@kind("updates faster than Kinesis takes them wait at the provider, not in memory", weight=1)
def back_pressure(rng: Random, now: float) -> ConsumerPlan:
    """Hundreds of megabytes of updates of usual size, and a Kinesis that takes its time or nothing."""
    traffic = Traffic(rng, now, age=300)
    when = stamp(now - 100)
    pad = rng.randbytes(250).hex()
    fixed = f'"ingestion_time":"{when}","timestamp":"{when}","pad":"{pad}"'
    block = b"".join(
        f'{{"target":{{"icao_address":"{index % 5_000:06X}","n":{index},{fixed}}}}}\n'.encode()
        for index in range(20_000)
    )
    for _ in range(rng.choice([5, 20])):
        traffic.items.append(Flood(block, 1))
        traffic.token()
    slow = rng.choice([Delay(0.5, executed=True), Throttle(share=1.0), Throttle(share=0.5)])
    return traffic.plan(Run(10.0, (Rule(PUT, slow),)), heals=False, **record_format(rng))


@kind("whatever the schedule's event holds, the run says so or runs", weight=1)
def odd_events(rng: Random, now: float) -> ConsumerPlan:
    """Events without a detail, with one that is no object, with seconds that are none."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(2, 3)
    seconds: Any = rng.choice([0, -1, 0.001, 1e308, "20", "", None, [], True, {"a": 1}, 10**400, "1e309", "nan"])
    details: list[Any] = [None, [], "x", {}, {"run_seconds": seconds}, {"run_seconds": seconds}]
    event: Any = rng.choice([{}, [], None, "x", 5, *({"detail": detail} for detail in details)])
    return traffic.plan(Run(3.0, event=event), SETTLE, **record_format(rng))
