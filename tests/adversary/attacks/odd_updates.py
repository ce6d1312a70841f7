"""Updates that are JSON and still nothing that anybody expected: none may vanish, double, or harm another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.feed import Break
from tests.adversary.plan import SETTLE, Run, Traffic

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

NUMBERS = (
    "1e309",
    "-1e309",
    "1" * 400,
    "1" * 5000,
    "-0",
    "1E-400",
    "0.1" + "0" * 300,
    "9007199254740993",
    "18446744073709551616",
    "1e1000000",
)
DEEP = "[" * 900 + "]" * 900
ADDRESSES = (
    "",
    " ",
    "78121e",
    " 78121E ",
    "78121E\t",
    "~2F12AB",
    "ABCDEFG",
    "x" * 32,
    "x" * 33,
    "x" * 256,
    "x" * 257,
    "é" * 100,
    "shardId-000000000000",
    "\ud800",
    "0",
)


@kind("an odd update is published or kept with a reason, and its neighbours are not harmed", weight=4)
def odd_updates(rng: Random, now: float) -> ConsumerPlan:
    """Each interval holds odd updates among good ones; a disconnect brings them again."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(rng.randrange(3, 8)):
        for _ in range(rng.randrange(2, 8)):
            traffic.update()
            if rng.random() < 0.6:
                _add_odd(rng, traffic)
        traffic.update()
        if rng.random() < 0.4:
            traffic.items.append(Break("reset"))
        traffic.token()
    return traffic.plan(Run(4.0), SETTLE, chain=True, **record_format(rng))


def odd_line(rng: Random, fields: dict[str, Any]) -> bytes:
    """Return the update's fields as an odd line of the stream."""
    text = json.dumps(fields, separators=(",", ":"))
    inside = text[1:-1]
    field = rng.choice(["altitude_baro", "speed", "vertical_rate", "heading", "latitude", "unheard_of"])
    lines = [
        f'{{"target":{{{inside},"{field}":{rng.choice(NUMBERS)}}}}}',
        f'{{"target":{{{inside},"extra":{DEEP}}}}}',
        f'{{"target":{{{inside},"v":1,"n":2,"shard":"shardId-000000000000","z":"AAAA"}}}}',
        f'{{"target":{{"v":2,"n":1,{inside}}}}}',
        f'{{"target":{{"v":1,{inside},"shard":"x","z":""}}}}',
        f'{{"target":{{"z":null,{inside}}}}}',
        f'{{"target":{{{inside},"(as received)":1}}}}',
        f'{{"target":{{{inside},"callsign":"\\ud83d alone"}}}}',
        f'{{"target":{{{inside},"callsign":"\\u0000\\u001b[31m"}}}}',
        f'{{"target":{{{inside},"on_ground":"maybe","squawk":7700,"speed":"fast"}}}}',
        f'{{"target":{{{inside},"squawk":null,"callsign":null,"latitude":null}}}}',
        f'{{"target":{{{inside},"latitude":91,"longitude":-999}}}}',
        f' \t{{ "target" : {{{inside}}} }} ',
        f'{{"target":{{{inside}}},"comment":"{"x" * rng.choice([1, 70_000])}"}}',
        f'{{"comment":1,"target":{{{inside}}}}}',
        f'{{"target":{{{inside}}},"target":{{}}}}',
        f'{{"target":{{{inside}}},"position_token":"tok-99999-1"}}',
        f'{{"target":{{{inside},"flight_number":"{"x" * rng.choice([100_000, 1_000_000, 1_100_000, 3_000_000])}"}}}}',
        f'{{"target":{{{inside}}}}}{{"target":{{}}}}',
        f'{{"target":[{{{inside}}}]}}',
        f'{{"target":{{{inside}}}',
        f'{{"target":{{{inside},}}}}',
        f'{{"Target":{{{inside}}}}}',
        f'\ufeff{{"target":{{{inside}}}}}',
    ]
    return rng.choice(lines).encode("utf-8", "surrogatepass")


def _add_odd(rng: Random, traffic: Traffic) -> None:
    choice = rng.random()
    if choice < 0.25:
        address = rng.choice(ADDRESSES)
        body = traffic.body(address or None, icao_address=address)
        traffic.line(b'{"target":' + json.dumps(body, ensure_ascii=True).encode() + b"}")
        traffic.owe("accounted")
        return
    if choice < 0.4:
        first, second = traffic.body(), traffic.body()
        traffic.line(b'{"target":' + json.dumps(first).encode() + b',"target":' + json.dumps(second).encode() + b"}")
        traffic.owe("accounted", 2)
        return
    if choice < 0.5:
        odd_time = rng.choice(
            [
                "2024-03-04T23:59:60Z",
                "2024-03-04T23:24:00",
                "2024-03-04 23:24:00+00",
                "yesterday",
                "",
                "9999-12-31T23:59:59.999999Z",
                "0001-01-01T00:00:00Z",
                "2024-03-04T23:24:00.123456789Z",
                "2024-03-04T23:24:00+24:00",
            ]
        )
        body = traffic.body(**{rng.choice(["timestamp", "ingestion_time"]): odd_time})
        traffic.line(b'{"target":' + json.dumps(body).encode() + b"}")
        traffic.owe("accounted")
        return
    traffic.line(odd_line(rng, traffic.body()))
    traffic.owe("accounted")


@kind("a byte order mark before the stream's first line is no part of it")
def byte_order_mark(rng: Random, now: float) -> ConsumerPlan:
    """The very first line of the stream begins with a byte order mark, whatever it is."""
    traffic = Traffic(rng, now, age=300)
    traffic.items.append(Break("end", times=0))
    traffic.line(b'\xef\xbb\xbf{"target":' + json.dumps(traffic.body()).encode() + b"}")
    traffic.owe("accounted")
    traffic.intervals(2, 5)
    return traffic.plan(Run(2.5), SETTLE, **record_format(rng))


@kind("the same update with its keys in another order after a reconnect is the same update", weight=1)
def reordered_keys(rng: Random, now: float) -> ConsumerPlan:
    """After a disconnect the server writes each update's keys in another order."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(3):
        for _ in range(8):
            traffic.update(again=True)
        traffic.items.append(Break(rng.choice(["reset", "end"])))
        traffic.update(again=True)
        traffic.token()
    return traffic.plan(Run(4.0), SETTLE, **record_format(rng))
