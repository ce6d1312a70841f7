"""Makes snapshots by hand, good ones, from the page alone; `tests.adversary.snapshot` puts the bytes together."""

from __future__ import annotations

import json
from typing import Any

from tests.adversary.live import FIRST_WINDOW
from tests.adversary.recount import IDENTITY
from tests.adversary.snapshot import COLUMNS, IDENTITIES, POSITIONS, forge

type Row = dict[str, int | None]

SHARD = "shardId-000000000000"
NOW = FIRST_WINDOW * 1000
ROWS = {"flags": 1, "ahead": 0, "delay": 2000, "position_age": 0, "heading": 900, "vertical_rate": 0, "speed": 430}


def shown(second: int, address: str = "78121E", latitude: float = 31.0, **fields: Any) -> Row:
    """Return an aircraft as a snapshot's row of numbers, measured so many seconds after `NOW`."""
    place = {"latitude": round(latitude * 1e5), "longitude": 12_100_000, "altitude": 30_000}
    return {"icao_address": int(address, 16), "measured": NOW + second * 1000, **place, **ROWS, **fields}


def header(window: int = 0, sequence: int = 1, **more: Any) -> dict[str, Any]:
    """Return the header of a window, by its number."""
    start = NOW + 60_000 * window
    made: dict[str, Any] = {
        "shard": SHARD,
        "window_start": start,
        "window_end": start + 60_000,
        "sequence": str(sequence),
    }
    return made | {"written_at": start, "identity": "i"} | more


def positions(rows: list[Row], **about: Any) -> bytes:
    """Return a snapshot of these rows; `about` goes into its header."""
    bases = [min((value for row in rows if (value := row[name]) is not None), default=0) for name in COLUMNS]
    planes = []
    for name, base in zip(COLUMNS, bases, strict=True):
        codes = [0 if (value := row[name]) is None else value - base + 1 for row in rows]
        planes += [bytes(code >> 8 * plane & 255 for code in codes) for plane in range(4)]
    columns = [[base, 1, 4, 0] for base in bases]
    blocks = [[len(rows), 0, 0, -9000, -18000, 9000, 18000]] if rows else []
    return forge(POSITIONS, header(columns=columns, blocks=blocks, **about), [b"".join(planes)][: len(blocks)])


def named(addresses: list[str], **about: Any) -> bytes:
    """Return the identities of these aircraft, of which nothing is known."""
    block = json.dumps([addresses, *[[None] * len(addresses)] * len(IDENTITY)]).encode()
    blocks = [[len(addresses), 0, 0]]
    return forge(IDENTITIES, header(fields=["icao_address", *IDENTITY], blocks=blocks, **about), [block])
