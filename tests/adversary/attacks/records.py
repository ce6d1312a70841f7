"""Records that fail to be what they seem, thrown at the aggregator and the alerts function."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from backports import zstd

from tests.adversary.attacks.odd_updates import NUMBERS, odd_line
from tests.adversary.attacks.register import kind
from tests.adversary.aws import Throttle
from tests.adversary.events import SHARD, UNFILTERED, Aircraft, FunctionPlan, Given, envelope, packed, text
from tests.adversary.odd_answers import PLAIN, RECORDS, Odd
from tests.adversary.wire import Close, Delay, Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

_FIELDS = ("altitude_baro", "speed", "vertical_rate", "heading", "latitude", "longitude", "nobody_reads_this")

_TEXTS = (
    "callsign",
    "flight_number",
    "tail_number",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
_THROTTLED = b'{"__type":"ProvisionedThroughputExceededException"}'

_ODDITIES: tuple[tuple[str, object], ...] = (
    ("on_ground", None),
    ("on_ground", "no"),
    ("callsign", 5),
    ("callsign", None),
    ("callsign", "x" * 300),
    ("latitude", "north"),
    ("altitude_baro", []),
    ("heading", {"a": 1}),
    ("takeoff_time", ""),
    ("ingestion_time", ""),
    ("flight_number", "\ud800"),
)
"""Fields, and what they hold in place of what they should."""


def _forged(z: bytes, n: object = 1, shard: str = SHARD) -> bytes:
    return json.dumps(
        {"v": 1, "n": n, "shard": shard, "z": base64.b64encode(z).decode()}, separators=(",", ":")
    ).encode()


def poison(rng: Random, update: dict[str, object]) -> Given:
    """Return a record that is odd in one way; whether its update counts is left open."""
    body = text(update)
    inside = body[1:-1]
    line_ends = zstd.compress(b"\n" * rng.choice([100, 100_000, 4 << 20]))
    choices = [
        b"",
        b"\n",
        b"null",
        b"\x00\xff\xfe",
        b"[" * 10_000,
        b'{"a":' * 5_000,
        b"\xef\xbb\xbf" + body,
        body[:-10],
        body + body,
        b'{"v":2,"n":1,' + inside + b"}",
        b'{"v":1,' + inside + b',"shard":"x"}',
        b'{"v":1,"n":1,"shard":"' + SHARD.encode() + b'",' + inside + b',"z":"AAAA"}',
        b'{"v":1,"n":1,"shard":"elsewhere",' + inside + b',"z":""}',
        b'{"v":1e309,"n":1}',
        _forged(b""),
        _forged(b"no zstd at all"),
        _forged(zstd.compress(body + b"\n"), 7),
        _forged(zstd.compress(body + b"\n"), "1"),
        _forged(zstd.compress(body)),
        _forged(zstd.compress(body + b"\n")[:-3]),
        _forged(zstd.compress(body + b"\n"), 1, "shardId-000000000001"),
        _forged(line_ends, rng.choice([1, 4 << 20])),
        _forged(zstd.compress(b"{" * (8 << 20)), 1),
        _forged(zstd.compress((b"x" * 50 + b"\n") * 50_000), 50_000),
        odd_line(rng, update)[len(b'{"target":') : -1],
        b"{" + inside + b',"timestamp":' + NUMBERS[3].encode() + b"}",
        b"{" + inside + b',"icao_address":null}',
        b"{" + inside + b',"callsign":"\\u001b[2J\\u0000"}',
    ]
    return Given(rng.choice(choices) + b"\n", "78121E")


@kind("an odd record stalls no shard, counts for nobody else, and costs a bounded line", weight=3)
def poisoned_windows(rng: Random, now: float) -> FunctionPlan:
    """Batches of good updates, single and in envelopes, with odd records among them and updates that come again."""
    aircraft = Aircraft(rng, now)
    good = [aircraft.address() for _ in range(rng.choice([2, 30]))]
    counted = dict.fromkeys(good, 0)
    batches, again, odd = [], [], 0
    for _ in range(rng.randrange(1, 4)):
        records: list[Given] = []
        for _ in range(rng.randrange(1, 8)):
            updates = [aircraft.update(rng.choice(good), after=0.5) for _ in range(rng.randrange(1, 12))]
            for update in updates:
                counted[update["icao_address"]] += 1
            records += packed(rng, [text(update) for update in updates], updates)
            if rng.random() < 0.6:
                records.append(poison(rng, aircraft.update(aircraft.address())))
                odd += 1
        again.append(rng.choice(records))
        batches.append((*records, *rng.choices(again, k=1)))
    odd *= 2  # the batches hold some of them twice
    return FunctionPlan(
        "aggregator", tuple(batches), megabytes=1024, counted=tuple(counted.items()), log=15_000 + 2_000 * odd
    )


@kind("a window's state stays below what Lambda takes, whatever its aircraft are called", weight=1)
def swollen_state(rng: Random, now: float) -> FunctionPlan:
    """Thousands of aircraft whose texts change from one batch to the next, to ones that do not compress."""
    aircraft = Aircraft(rng, now)
    addresses = [f"{number:06X}" for number in rng.sample(range(1 << 24), rng.choice([1_500, 4_000]))]
    batches = []
    for number in range(3):
        updates = []
        for address in addresses:
            texts = {name: "A" * 64 if number == 0 else rng.randbytes(32).hex() for name in _TEXTS}
            updates.append(text(aircraft.update(address, after=0.001, **texts)))
        chunks = [updates[start : start + 500] for start in range(0, len(updates), 500)]
        batches.append(tuple(envelope(chunk) for chunk in chunks))
    counted = tuple((address, 3) for address in addresses[:50])
    return FunctionPlan("aggregator", tuple(batches), megabytes=1024, counted=counted, log=60_000)


@kind("whatever Firehose and DynamoDB answer, a window's rows equal a recount", weight=2)
def failing_sinks(rng: Random, now: float) -> FunctionPlan:
    """The sinks refuse some or all, lose answers, or answer 200 with nonsense, until they are well."""
    aircraft = Aircraft(rng, now)
    addresses = [aircraft.address() for _ in range(rng.choice([3, 40]))]
    updates = [aircraft.update(rng.choice(addresses), after=0.3) for _ in range(rng.choice([20, 200]))]
    counted = dict.fromkeys(addresses, 0)
    for update in updates:
        counted[update["icao_address"]] += 1
    troubles = [
        Rule("firehose.PutRecordBatch", Throttle(share=rng.choice([0.2, 0.9]))),
        Rule("firehose.PutRecordBatch", Odd(rng.choice(PLAIN + RECORDS)), count=1),
        Rule("firehose.PutRecordBatch", Instead(Reply(503, b"")), count=rng.choice([1, 99])),
        Rule("firehose.PutRecordBatch", Close(), count=1),
        Rule("firehose.PutRecordBatch", Close(executed=True), count=1),
        Rule("dynamodb.PutItem", Instead(Reply(400, _THROTTLED)), chance=0.3),
        Rule("dynamodb.PutItem", Odd(rng.choice(PLAIN)), count=rng.choice([1, 99])),
        Rule("dynamodb.GetItem", Odd(rng.choice(PLAIN)), count=rng.choice([1, 99])),
        Rule("dynamodb.GetItem", Instead(Reply(500, b"")), count=1),
    ]
    trouble = tuple(rng.sample(troubles, rng.choice([1, 2])))
    half = len(updates) // 2
    batches = tuple(
        tuple(packed(rng, [text(each) for each in part], part)) for part in (updates[:half], updates[half:])
    )
    return FunctionPlan(
        "aggregator",
        batches,
        ((), (), trouble, trouble),
        attempts=6,
        megabytes=1024,
        counted=tuple(counted.items()),
        log=90_000,
    )


@kind("a field that no double can hold, or that contradicts the rest, silences no alert", weight=3)
def odd_emergencies(rng: Random, now: float) -> FunctionPlan:
    """Emergencies with one odd field each, single and in envelopes, poison between them."""
    aircraft = Aircraft(rng, now)
    records: list[Given] = []
    alerts = []
    odd = 0
    for _ in range(rng.randrange(1, 6)):
        address = aircraft.address()
        steep = rng.random() < 0.4
        fields = {"vertical_rate": -12_000} if steep else {"squawk": rng.choice(["7500", "7600", "7700"])}
        update = aircraft.update(address, **fields)
        other = rng.choice([name for name in _FIELDS if not (steep and name == "vertical_rate")])
        oddities = [*_ODDITIES, *((other, f"#{number}") for number in NUMBERS)]
        name, value = rng.choice(oddities)
        body = text(update | {name: value})
        if isinstance(value, str) and value.startswith("#"):
            body = body.replace(json.dumps(value).encode(), value[1:].encode())
        records += packed(rng, [body], [update])
        alerts.append((address, "steep_descent" if steep else "emergency_squawk", 1))
        if rng.random() < 0.5:
            records.insert(rng.randrange(len(records) + 1), poison(rng, aircraft.update(UNFILTERED)))
            odd += 1
    return FunctionPlan("alerts", (tuple(records),), alerts=tuple(alerts), log=15_000 + 2_000 * odd)


@kind("a worse emergency alerts, and the same one again does not, whoever writes the address how", weight=2)
def changing_emergencies(rng: Random, now: float) -> FunctionPlan:
    """Squawks grow worse, the same comes again, and one aircraft's address is written in several ways."""
    aircraft = Aircraft(rng, now)
    records: list[Given] = []
    alerts = []
    for _ in range(rng.randrange(1, 4)):
        address = aircraft.address()
        codes = sorted(rng.sample(["7600", "7700", "7500"], rng.randrange(1, 4)), key=["7600", "7700", "7500"].index)
        spelt = rng.random() < 0.5
        for code in codes:
            for _ in range(rng.randrange(1, 4)):
                written = rng.choice([address, address.lower(), f" {address} "]) if spelt else address
                update = aircraft.update(written, after=20.0, squawk=code)
                records += packed(rng, [text(update)], [update])
        alerts.append((address, "emergency_squawk", len(codes)))
    return FunctionPlan("alerts", (tuple(records),), alerts=tuple(alerts))


@kind("every invocation gets further, however many alerts one record calls for", weight=1)
def many_alerts(rng: Random, now: float) -> FunctionPlan:
    """An envelope of many emergencies, and a topic that takes its time."""
    aircraft = Aircraft(rng, now)
    addresses = [f"{number:06X}" for number in rng.sample(range(1 << 24), rng.choice([60, 150]))]
    updates = [aircraft.update(address, after=0.01, squawk="7700") for address in addresses]
    slow = (Rule("sns.Publish", Delay(rng.choice([0.03, 0.06]))),)
    return FunctionPlan(
        "alerts",
        ((envelope([text(update) for update in updates], updates),),),
        (slow,) * 40,
        attempts=20,
        seconds=30.0,
        alerts=tuple((address, "emergency_squawk", 1) for address in addresses),
        log=40_000 + 700 * len(addresses),  # some lines an invocation, and one for each alert
        fastest=30.2,
    )


@kind("whatever SNS and DynamoDB answer, an alert is neither lost nor sent twice", weight=3)
def failing_notification(rng: Random, now: float) -> FunctionPlan:
    """Claims, publications and marks are refused, lost, or answered 200 with nonsense, until all is well."""
    aircraft = Aircraft(rng, now)
    updates = [aircraft.update(aircraft.address(), squawk="7700") for _ in range(rng.choice([1, 5]))]
    operation = rng.choice(["sns.Publish", "dynamodb.PutItem", "dynamodb.UpdateItem"])
    refusals = [Odd(rng.choice(PLAIN)), *(Instead(Reply(status, _THROTTLED)) for status in (400, 403, 500)), Close()]
    is_lost = rng.random() < 0.3
    manners = Close(executed=True) if is_lost else rng.choice(refusals)
    rules = (Rule(operation, manners, count=rng.choice([1, 2, 99])),)
    return FunctionPlan(
        "alerts",
        (tuple(packed(rng, [text(update) for update in updates], updates)),),
        (rules,) * rng.choice([1, 2]),
        attempts=5,
        alerts=tuple((update["icao_address"], "emergency_squawk", 1) for update in updates),
        may_double=is_lost and operation == "sns.Publish",
        log=60_000,
    )


@kind("every alert that was sent is logged and shown once S3 takes it, and none fails for that", weight=2)
def unwritten_alerts(rng: Random, now: float) -> FunctionPlan:
    """The alert log or the newest alerts are refused, lost or answered oddly; then all is well."""
    aircraft = Aircraft(rng, now)
    first, second = (
        [aircraft.update(aircraft.address(), squawk="7700") for _ in range(rng.choice([1, 5]))] for _ in "ab"
    )
    operation = rng.choice(["s3.put.alerts", "s3.put.live.alerts", "s3.get.live.alerts", "s3.*"])
    manners = rng.choice(
        [
            *(Instead(Reply(status, b"")) for status in (403, 409, 412, 500, 503)),
            Instead(Reply(500, b""), executed=True),
            Odd(rng.choice(PLAIN)),
            Close(),
            Close(executed=True),
        ]
    )
    if operation in {"s3.put.alerts", "s3.*"} and manners == Instead(Reply(412, b"")):
        manners = Close()  # it says that the alert is there, which nobody doubts
    rules = (Rule(operation, manners, count=rng.choice([1, 99])),)
    batches = tuple(tuple(packed(rng, [text(each) for each in made], made)) for made in (first, second))
    return FunctionPlan(
        "alerts",
        batches,
        (rules,),
        alerts=tuple((each["icao_address"], "emergency_squawk", 1) for each in first + second),
        shown=True,
        log=60_000,
    )
