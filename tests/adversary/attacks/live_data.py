"""Updates that are odd in every way that a feed can think of, shown by the live objects: what can be read is right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.live_windows import Sky, batch
from tests.adversary.attacks.odd_updates import NUMBERS
from tests.adversary.attacks.register import kind
from tests.adversary.events import SHARD, packed, text
from tests.adversary.live import LivePlan, Step
from tests.adversary.plan import stamp

if TYPE_CHECKING:
    from random import Random

_ADDRESSES = ("~2F12AB", "é" * 20, "x" * 32, "0", "ABCDEFG", "shardId-000000000000", "飛行機")
_TEXTS = (
    "",
    " ",
    "x" * 64,
    "é" * 64,
    "飛" * 64,
    "\u0000\u001b[31m",
    '"\\',
    "\U0001f6e9" * 64,
    "x" * 65,
    "x" * 5_000,
    None,
    7,
    ["a"],
    "\ud800",
)
_NAMES = ("callsign", "flight_number", "tail_number", "aircraft_type_icao", "airline_iata", "collection_type", "squawk")
_READINGS = ("altitude_baro", "speed", "vertical_rate", "heading")
_VALUES = (None, "fast", [], {}, True, 0, -0.0, 0.4, 1e6, -1e6, 1e7, 1e308, 359.99, -359.96, 0.049, 12_345.678)
_PLACES = ((0.0, 0.0), (90.0, 180.0), (-90.0, -180.0), (91.0, 0.0), (0.0, 181.0), (None, 1.0), ("north", 1.0))


@kind("odd data is shown as the page says, or as absent, and harms no other aircraft", weight=3)
def live_data(rng: Random, now: float) -> LivePlan:
    """Aircraft with odd fields, clocks, addresses and positions among good ones, single and in envelopes."""
    sky = Sky(rng, now, rng.choice([3, 15]))
    odd = Sky(rng, now, 4)
    odd.rename(rng.sample(_ADDRESSES, 4))
    steps: list[Step] = []
    for window in range(rng.randrange(1, 3)):
        for _ in range(rng.randrange(1, 4)):
            good = [sky.update(rng.choice(sky.addresses)) for _ in range(rng.randrange(1, 6))]
            made = [_odd(rng, now, odd) for _ in range(rng.randrange(1, 8))]
            steps.append(_mixed(rng, window, good, made))
        steps.append(batch(rng, window, [], ends="closed"))
    return LivePlan(tuple(steps), log=30_000)


def _odd(rng: Random, now: float, sky: Sky) -> tuple[dict[str, Any], bytes]:
    """Return an update as its readers have to take it, and its bytes."""
    address = rng.choice(sky.addresses)
    fields: dict[str, Any] = {rng.choice(_NAMES): rng.choice(_TEXTS) for _ in range(rng.randrange(3))}
    fields |= {rng.choice(_READINGS): rng.choice(_VALUES) for _ in range(rng.randrange(3))}
    update = sky.update(address, **fields)
    match rng.randrange(5):
        case 0:
            update["latitude"], update["longitude"] = rng.choice(_PLACES)
        case 1:
            ahead = rng.choice([5.0, 3_600.0, 86_400.0 * 3])
            update[rng.choice(["timestamp", "ingestion_time"])] = stamp(now + ahead)
        case 2:
            update["ingestion_time"] = rng.choice([None, ""])
        case 3:
            update["timestamp"] = update["timestamp"].removesuffix("Z") + rng.choice(["", "+00:00", "Z"])
    update["icao_address"] = rng.choice([address, f" {address} "])
    body = text(update)
    if rng.random() < 0.3:
        name = rng.choice([*_READINGS, "latitude", "nobody_reads_this"])
        body = text({**update, name: "#"}).replace(json.dumps("#").encode(), rng.choice(NUMBERS).encode())
        update = {**update, name: json.loads(body, parse_int=_double).get(name)}
    return update, body


def _double(digits: str) -> float:
    return float(digits)


def _mixed(rng: Random, window: int, good: list[dict[str, Any]], odd: list[tuple[dict[str, Any], bytes]]) -> Step:
    """Return a batch of both, in any order; filters see what the good ones say."""
    both = [*((update, text(update)) for update in good), *odd]
    rng.shuffle(both)
    records = packed(rng, [body for _, body in both], good)
    return Step(SHARD, window, tuple(records), tuple(update for update, _ in both))
