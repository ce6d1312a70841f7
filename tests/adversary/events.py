"""Records of the stream, and attacks on the functions that read them, as an event source mapping would invoke them."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]
from backports import zstd

from tests.adversary.plan import stamp

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.wire import Rule

SHARD = "shardId-000000000000"
UNFILTERED = "FFFFFF"
"""The aircraft of odd records, which no filter has looked at: whether they alert is left open."""

_HEADER = (
    "icao_address",
    "callsign",
    "squawk",
    "collection_type",
    "airline_iata",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
_RANGES = ("altitude_baro", "speed", "vertical_rate")
_SEQUENCE = 49650123456789012345678901234567890123456789012345670000


@dataclass(frozen=True, slots=True)
class Given:
    """One record's data and partition key, and how many seconds ago it arrived."""

    data: bytes
    key: str
    arrived: float = 10.0


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """An attack on the aggregator or the alerts function.

    `rules` are those of the first invocation, the second, and so on; later ones find all well. A batch may be tried
    `attempts` times, each of `seconds`.
    """

    function: str
    batches: tuple[tuple[Given, ...], ...]
    rules: tuple[tuple[Rule, ...], ...] = ()
    attempts: int = 1
    seconds: float = 60.0
    megabytes: int = 256
    counted: tuple[tuple[str, int], ...] = ()
    """How many distinct updates of these aircraft the windows' rows have to count."""
    total: int | None = None
    """How many distinct updates the windows' rows have to count altogether, with none undecodable; None: not asked."""
    alerts: tuple[tuple[str, str, int], ...] | None = ()
    """Aircraft, rule, and how many alerts have to be sent of it; None: not asked."""
    shard: str = SHARD
    rows: tuple[tuple[str, str, float, float], ...] = ()
    """Aircraft, a field of its row, and the least and the greatest value it may have there."""
    items: tuple[tuple[str, str, str], ...] = ()
    """Aircraft, an attribute of its item in the table of latest states, and the text it has to hold."""
    may_double: bool = False
    shown: bool = False
    """Whether in the end each alert has to be in the alert log and among the newest alerts."""
    log: int = 20_000
    """Bytes of log at most."""
    fastest: float = 20.0
    """Seconds that a single invocation may take."""


class Aircraft:
    """Makes updates of aircraft, a moment apart, from a generator."""

    def __init__(self, rng: Random, now: float) -> None:
        self._rng = rng
        self._time = now - 600

    def address(self) -> str:
        """Return an address that no other has, most likely."""
        return f"{self._rng.randrange(1 << 24):06X}"

    def update(self, address: str, *, after: float = 5.0, **fields: Any) -> dict[str, Any]:
        """Return the aircraft's next update, `after` so many seconds; None leaves a field out."""
        self._time += after
        made: dict[str, Any] = {
            "ingestion_time": stamp(self._time),
            "icao_address": address,
            "timestamp": stamp(self._time - 2),
            "latitude": 31.0,
            "longitude": 121.0,
            "altitude_baro": 30_000,
            "speed": 430.0,
            "heading": 90.0,
            "vertical_rate": 0,
            "squawk": "1200",
            "on_ground": False,
            "callsign": "CCA8302",
            "collection_type": "terrestrial",
        }
        made |= fields
        return {name: value for name, value in made.items() if value is not None}


def text(fields: dict[str, Any]) -> bytes:
    """Return the update's bytes."""
    return json.dumps(fields, separators=(",", ":")).encode()


def single(update: bytes, key: str = "78121E") -> Given:
    """Return an update as its own record."""
    return Given(update + b"\n", key)


def envelope(updates: list[bytes], known: list[dict[str, Any]] | None = None, shard: str = SHARD) -> Given:
    """Return the updates as one envelope, by the format in docs/design.md; `known` are those its header speaks of."""
    known = [json.loads(update) for update in updates] if known is None else known
    header: dict[str, Any] = {"v": 1, "n": len(updates), "shard": shard}
    for name in _HEADER:
        header[name] = sorted({each[name] for each in known if isinstance(each.get(name), str)})
    for name in _RANGES:
        values = [each[name] for each in known if isinstance(each.get(name), int | float)]
        header[name] = [min(values), max(values)] if values else []
    header["on_ground"] = sorted({bool(each.get("on_ground")) for each in known})
    header["z"] = base64.b64encode(zstd.compress(b"".join(update + b"\n" for update in updates))).decode()
    return Given(json.dumps(header, separators=(",", ":")).encode() + b"\n", shard)


def packed(rng: Random, updates: list[bytes], known: list[dict[str, Any]], shard: str = SHARD) -> list[Given]:
    """Return the updates as single records or as envelopes, as the dice fall."""
    if rng.random() < 0.5:
        return [single(update) for update in updates]
    return [envelope(updates, known, shard)] if updates else []


def event(
    records: list[tuple[int, Given]], shard: str, extra: dict[str, Any], *, now: float | None = None
) -> dict[str, Any]:
    """Return what Lambda hands over: the records with their numbers in the stream, and what a window adds.

    They arrived before `now` (epoch seconds), or before this moment.
    """
    now = time.time() if now is None else now
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/updates"
    made = [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": given.key,
                "sequenceNumber": str(_SEQUENCE + number),
                "data": base64.b64encode(given.data).decode(),
                "approximateArrivalTimestamp": round(now - given.arrived, 3),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{_SEQUENCE + number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/attack",
            "awsRegion": "us-east-1",
            "eventSourceARN": arn,
        }
        for number, given in records
    ]
    return {"Records": made, **extra}


def number_of(sequence: str) -> int:
    """Return the number in the stream that a sequence number stands for."""
    return int(sequence) - _SEQUENCE


class _Template(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads the template, whatever its functions."""


_Template.add_multi_constructor("!", lambda *_: None)


@cache
def default_patterns() -> str:
    """Return the template's alert patterns, as the functions' environment holds them."""
    template = Path(__file__).resolve().parents[2] / "template.yaml"
    parameters = yaml.load(template.read_text(encoding="utf-8"), _Template)["Parameters"]
    return "\n".join(parameters[f"AlertPattern{number}"]["Default"] for number in range(1, 6))


@dataclass(slots=True)
class FunctionEvidence:
    """What an attack on a function left behind."""

    outcomes: list[Any] = field(default_factory=list)
    stuck: list[int] = field(default_factory=list)
    """Batches that never came through."""
    states: list[int] = field(default_factory=list)
    """Sizes of the states handed back, in bytes of JSON."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    items: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """The table of latest states."""
    messages: list[dict[str, str]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    """The data bucket."""
    log: bytes = b""
    stall: float = 0.0
