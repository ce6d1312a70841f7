"""Objects of what was given up, odd ones among them, and an AWS that fails while `ops redrive` works on them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backports import zstd

from tests.adversary.attacks.register import kind
from tests.adversary.aws import Throttle
from tests.adversary.events import SHARD, Aircraft, Given, envelope, event, single, text
from tests.adversary.ledger import mark, marks
from tests.adversary.odd_answers import PLAIN, RECORDS, Odd
from tests.adversary.redrive import Command, Failure, RedrivePlan
from tests.adversary.wire import Close, Delay, Hang, Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

PUT = "kinesis.PutRecords"
_REFUSED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_MIB = 1 << 20


class Failures:
    """Makes on-failure objects as Lambda writes them, with updates that are each known by their mark."""

    def __init__(self, rng: Random, now: float) -> None:
        self.now = now
        self._rng = rng
        self._aircraft = Aircraft(rng, now)
        self._addresses = [self._aircraft.address() for _ in range(12)]
        self._updates = 0
        self._objects = 0

    def update(self, **fields: Any) -> dict[str, Any]:
        """Return one update, its address spelt as a feed may spell it."""
        address = self._rng.choice(self._addresses)
        address = self._rng.choice([address, address, address.lower(), f" {address} "])
        made = self._aircraft.update(address, flight_id=mark(self._updates), **fields)
        self._updates += 1
        return made

    def records(self, count: int) -> list[Given]:
        """Return records of good updates, single or in an envelope."""
        updates = [text(self.update()) for _ in range(count)]
        if self._rng.random() < 0.5:
            return [single(each, json.loads(each)["icao_address"].strip().upper()) for each in updates]
        return [envelope(updates)]

    def key(self) -> str:
        """Return the next object's key."""
        self._objects += 1
        name = f"2026-01-01T00.00.{self._objects % 60:02}-{self._rng.randbytes(4).hex()}"
        mapping = self._rng.choice(["11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"])
        return f"aws/lambda/{mapping}/{SHARD}/2026/01/01/{name}"

    def failure(self, records: list[Given]) -> Failure:
        """Return an object of these records, all of which are sound."""
        made = event(list(enumerate(records)), SHARD, {}, now=self.now)
        numbers = frozenset(number for each in records for number in _numbers(each))
        return Failure(self.key(), notice(json.dumps(made)), numbers, numbers)

    def good(self, count: int) -> Failure:
        """Return an object of so many good updates."""
        return self.failure(self.records(count))


def _numbers(record: Given) -> list[int]:
    if record.data.startswith(b'{"v":1,'):
        return marks(zstd.decompress(base64.b64decode(json.loads(record.data)["z"])))
    return marks(record.data)


def notice(payload: object, **replaced: Any) -> bytes:
    """Return an on-failure object: Lambda's notice, with the invocation's event as a text in `payload`."""
    made = {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-4000-8000-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:alerts",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 50,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "KinesisBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": "49650123456789012345678901234567890123456789012345670000",
            "endSequenceNumber": "49650123456789012345678901234567890123456789012345670009",
            "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00.000Z",
            "approximateArrivalOfLastRecord": "2026-01-01T00:00:00.000Z",
            "batchSize": 10,
            "streamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/updates",
        },
        "payload": payload,
    }
    return json.dumps({name: value for name, value in (made | replaced).items() if value is not None}).encode()


def _odd_lines(rng: Random, given: Failures) -> tuple[str, Failure]:
    """Return an object with good records around one that is odd, and may be sent or left."""
    update = given.update()
    body, inside = text(update), text(update)[1:-1]
    depth = rng.choice([90, 900, 20_000])
    number = rng.choice([400, 5_000])
    room = _MIB - len(update["icao_address"].strip())
    ways = {
        "integer": b"{" + inside + b',"unheard_of":' + b"1" * number + b"}",
        "nesting": b"{" + inside + b',"unheard_of":' + b"[" * depth + b"]" * depth + b"}",
        "one MiB": b"{" + inside + b',"pad":"' + b"x" * (room - len(inside) - 12) + b'"}',
        "over a MiB": b"{" + inside + b',"pad":"' + b"x" * (room - len(inside)) + b'"}',
        "half a pair": b"{" + inside + b',"callsign":"\\ud800"}',
        "no UTF-8": b"{" + inside + b',"callsign":"\xff\xfe"}',
        "escapes": b"{" + inside + b',"callsign":"\\u001b[2J\x1b[31m\\u0007"}',
        "twice": b"{" + inside + b',"icao_address":"~OTHER"}',
        "no address": b'{"timestamp":"2026-01-01T00:00:00Z","flight_id":"' + update["flight_id"].encode() + b'"}',
        "long address": body.replace(update["icao_address"].encode(), b"x" * 300),
        "address of blanks": body.replace(update["icao_address"].encode(), b"  "),
        "no object": b'["' + update["flight_id"].encode() + b'"]',
        "cut": body[:-1],
    }
    way = rng.choice(sorted(ways))
    odd = ways[way] + b"\n"
    inside_of_an_envelope = rng.random() < 0.5
    if inside_of_an_envelope:
        records = [*given.records(2), envelope([text(given.update()), odd[:-1], text(given.update())], [])]
    else:
        records = [*given.records(2), single(odd[:-1]), *given.records(2)]
    made = given.failure(records)
    owed = made.owed - set(marks(odd))
    return way, replace(made, owed=owed, sound=None)


def _unreadable(rng: Random, given: Failures) -> Failure:
    """Return an object of which something cannot go back."""
    good = event(list(enumerate(given.records(2))), SHARD, {}, now=given.now)
    spoilt = json.loads(json.dumps(good))
    way = rng.choice(["base64", "number", "missing", "null", "version"])
    record = spoilt["Records"][-1]["kinesis"]
    other = {"base64": "%%%", "number": 5, "null": None}
    if way in other:
        record["data"] = other[way]
    elif way == "missing":
        del record["data"]
    else:
        forged = {"v": 2, "n": 1, "shard": SHARD, "z": "AAAA"}
        record["data"] = base64.b64encode(json.dumps(forged, separators=(",", ":")).encode() + b"\n").decode()
    window = {"window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"}, "state": {"a": "b"}}
    contents = [
        notice(json.dumps(spoilt)),
        notice(json.dumps(good))[: rng.choice([0, 1, 500])],
        notice(json.dumps(good)[:-20]),
        notice(None),
        notice(5),
        notice("[" * 100_000),
        notice(json.dumps({"Records": "none"})),
        notice(json.dumps({"Records": [None, 5, []]})),
        notice(json.dumps({"Records": []} | window)),
        notice(json.dumps({"Records": []} | window), requestContext=None),
        notice(json.dumps({"Records": []} | window), KinesisBatchInfo=[]),
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"' + b"x" * 10_000 + b'"',
        b'{"payload":' + b"1" * 5_000 + b"}",
    ]
    return Failure(given.key(), rng.choice(contents), sound=False)


def _odd_notices(rng: Random, given: Failures) -> Failure:
    """Return an object with good records whose notice says odd things of them."""
    made = event(list(enumerate(records := given.records(3))), SHARD, {}, now=given.now)
    replaced: dict[str, Any] = rng.choice(
        [
            {"requestContext": None},
            {"requestContext": []},
            {"requestContext": {"functionArn": 5, "condition": ["x"]}},
            {"requestContext": {"functionArn": "\x1b[2J\n\x07", "condition": "\x1b]0;x\x07"}},
            {"responseContext": "x"},
            {"KinesisBatchInfo": None},
            {"KinesisBatchInfo": {"batchSize": "x", "shardId": {}}},
            {"timestamp": 5},
            {"version": "9.0"},
        ]
    )
    numbers = frozenset(number for each in records for number in _numbers(each))
    return Failure(given.key(), notice(json.dumps(made), **replaced), numbers, sound=None)


_FINISH = Command(seconds=60.0)
"""All is well."""


@kind("every record that can be read goes back; what cannot is named and stays, and the exit code says so", weight=3)
def odd_failures(rng: Random, now: float) -> RedrivePlan:
    """Objects with odd lines, unreadable ones, and notices that say nonsense, among good ones; seen, then done."""
    given = Failures(rng, now)
    objects = [given.good(rng.randrange(1, 6)) for _ in range(rng.randrange(1, 4))]
    for _ in range(rng.randrange(1, 7)):
        make = rng.choice([_unreadable, _unreadable, lambda *asked: _odd_lines(*asked)[1], _odd_notices])
        objects.append(make(rng, given))
    delete = ("--delete",) if rng.random() < 0.5 else ()
    commands = [Command(("--confirm", "--yes", *delete)), Command(("--confirm", "--yes", *delete))]
    if rng.random() < 0.5:
        commands.insert(0, Command(("--show", "3")))
    return RedrivePlan(tuple(objects), tuple(commands), page=rng.choice([1, 2, 1000]), output=200_000)


@kind("whatever PutRecords answers, no object goes before its records are in, and none is sent twice", weight=3)
def redrive_answers(rng: Random, now: float) -> RedrivePlan:
    """PutRecords answers 200 with nonsense, refuses some or all, or loses its answer; then all is well."""
    given = Failures(rng, now)
    objects = [given.good(rng.choice([1, 5, 40])) for _ in range(rng.randrange(1, 6))]
    executed = rng.random() < 0.3
    endless = rng.random() < 0.3
    troubles: list[object] = [
        Odd(rng.choice(PLAIN), executed=executed),
        Odd(rng.choice(RECORDS)),
        Throttle(share=rng.choice([0.2, 0.6])),
        Throttle(share=1.0),
        Throttle(share=0.5, code="InternalFailure"),
        Instead(Reply(400, b'{"__type":"ProvisionedThroughputExceededException","message":"Slow down"}')),
        Instead(Reply(400, b'{"__type":"AccessDeniedException","message":"No"}')),
        Instead(Reply(503, b"<html>busy</html>")),
        Close(executed=executed),
        Delay(1.0),
    ]
    manners = rng.choice(troubles)
    rules = (Rule(PUT, manners, first=rng.choice([0, 0, 1]), count=1 << 30 if endless else rng.choice([1, 2])),)
    # Of an object that is refused in part until attempts are exhausted, all goes once more: docs/reliability.md.
    ambiguous = executed or isinstance(manners, Instead | Close) or (endless and isinstance(manners, Throttle))
    delete = ("--delete",) if rng.random() < 0.5 else ()
    command = Command(("--confirm", "--yes", *delete), rules)
    return RedrivePlan(tuple(objects), (command, replace(_FINISH, arguments=command.arguments)), may_double=ambiguous)


@kind("a bucket that refuses, cuts or lies stops no other object, and no object is lost", weight=3)
def redrive_bucket(rng: Random, now: float) -> RedrivePlan:
    """Listing, reading, marking and removing fail in some way, for some objects; then all is well."""
    given = Failures(rng, now)
    objects = [given.good(rng.choice([1, 5])) for _ in range(rng.randrange(2, 6))]
    operation = rng.choice(["list", "list", "get", "gettagging", "puttagging", "delete"])
    troubles: list[object] = [
        Odd(rng.choice(PLAIN)),
        Instead(Reply(403, _REFUSED)),
        Instead(Reply(404, b"<Error><Code>NoSuchKey</Code><Message>Gone.</Message></Error>")),
        Instead(Reply(503, _BUSY)),
        Close(),
    ]
    count = rng.choice([1, 2, 1 << 30])
    rules = (Rule(f"failures.{operation}", rng.choice(troubles), first=rng.choice([0, 1]), count=count),)
    delete = ("--delete",) if operation == "delete" or (operation != "puttagging" and rng.random() < 0.5) else ()
    arguments = ("--confirm", "--yes", *delete)
    return RedrivePlan(
        tuple(objects),
        (Command(arguments, rules), Command(arguments)),
        page=rng.choice([1, 2, 1000]),
        may_double=operation in ("puttagging", "delete"),
    )


@kind("redriven again only when asked, and a report that cannot be written is refused before the work", weight=1)
def redriven_again(rng: Random, now: float) -> RedrivePlan:
    """Several commands one after another, some with --again, --prefix, --json or a report that has no place."""
    given = Failures(rng, now)
    objects = tuple(given.good(rng.choice([1, 5])) for _ in range(rng.randrange(1, 5)))
    again = rng.random() < 0.4
    done = ("--confirm", "--yes")
    commands = [Command(rng.choice([(*done, "--json"), (*done, "--prefix", objects[0].key), done, ("--json",)]))]
    if rng.random() < 0.7:
        place = rng.choice(["/dev/full", "/no/such/folder/report.json", "/proc/version", "/"])
        commands.insert(0, Command((*done, "--report", place), unwritable=True))
    commands.append(Command((*done, "--again")) if again else _FINISH)
    if rng.random() < 0.5:
        nonsense = (Rule("failures.gettagging", Odd(rng.choice(PLAIN)), count=rng.choice([1, 1 << 30])),)
        commands.append(Command(done, nonsense))
    return RedrivePlan(objects, (*commands, _FINISH), may_double=again)


@kind("a call that hangs or drips ends redrive in bounded time, with what is left named", weight=1)
def redrive_hangs(rng: Random, now: float) -> RedrivePlan:
    """One operation is never answered, by calls that are given up; then all is well."""
    given = Failures(rng, now)
    objects = tuple(given.good(3) for _ in range(2))
    operation = rng.choice([PUT, "failures.list", "failures.get", "failures.gettagging"])
    hanging = Command(rules=(Rule(operation, Hang(), count=rng.choice([1, 1 << 30])),), seconds=400.0)
    return RedrivePlan(objects, (hanging, _FINISH), may_double=operation == PUT)
