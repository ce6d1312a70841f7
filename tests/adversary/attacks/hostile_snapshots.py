"""Live objects as no writer of ours makes them, read by the API: it answers in time, without them, and says so."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from tests.adversary.asking import AskPlan, Visit
from tests.adversary.attacks.register import kind
from tests.adversary.forged import SHARD, named, positions, shown
from tests.adversary.snapshot import FIXED, MAGIC, POSITIONS, deflate, forge, opened, seal
from tests.adversary.wire import Close, Delay, Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

OTHER = "shardId-000000000001"
BEFORE = "closed/20260101T000000Z"
"""The window that closed before the one that is open."""


def _fleet(rng: Random, count: int) -> list[dict[str, int | None]]:
    return [shown(second, f"{rng.randrange(1 << 24):06X}", rng.uniform(30, 32)) for second in range(count)]


def _shard(rng: Random, shard: str, count: int) -> tuple[dict[str, bytes], set[str]]:
    """Return a healthy shard's objects, and whom they show."""
    now, before = _fleet(rng, count), _fleet(rng, count)
    objects = {
        f"live/{shard}/open": positions(now, shard=shard),
        f"live/{shard}/open-identity": named(_names(now), shard=shard),
        f"live/{shard}/{BEFORE}": positions(before, shard=shard, window=-1, closed=True),
        f"live/{shard}/{BEFORE}-identity": named(_names(before), shard=shard, window=-1, closed=True),
    }
    return objects, {*_names(now), *_names(before)}


def _names(rows: list[dict[str, int | None]]) -> list[str]:
    return [f"{row['icao_address']:06X}" for row in rows]


def _listed(*shards: str, **more: Any) -> bytes:
    since = {"since": "2026-01-01T00:00:00Z"}
    return json.dumps({"version": 1, "window_seconds": 60, "shards": dict.fromkeys(shards, since), **more}).encode()


def damaged(rng: Random, content: bytes) -> bytes:
    """Return a snapshot that is damaged in one way, by chance or by malice."""
    place = rng.randrange(len(content))
    prefix = FIXED.unpack_from(content)
    kinds = [
        b"",
        content[:place],
        content + rng.randbytes(rng.choice([1, 4_000])),
        content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :],
        rng.randbytes(rng.choice([19, 20, 21, 5_000])),
        b"\x1f\x8b" + content,
        FIXED.pack(MAGIC, rng.choice([0, 2, 255]), *prefix[2:]) + content[FIXED.size :],
        FIXED.pack(MAGIC, 1, 3 - prefix[2], *prefix[3:]) + content[FIXED.size :],
        FIXED.pack(*prefix[:4], 0xFFFFFFFF, *prefix[5:]) + content[FIXED.size :],
        FIXED.pack(*prefix[:5], 0xFFFFFFFF, prefix[6]) + content[FIXED.size :],
        FIXED.pack(*prefix[:5], 0, prefix[6]) + content[FIXED.size :],
        _bomb(prefix[2]),
        seal(prefix[2], b"[" * 500_000, b""),
        seal(prefix[2], rng.choice([b"", b"null", b"[]", b"{}", b'"', b'{"shard":1e999}']), b""),
    ]
    return rng.choice(kinds)


def _bomb(kind_of: int) -> bytes:
    """Return a header of a megabyte by its own words, which inflates to a hundred."""
    bomb = deflate(b" " * (100 << 20))
    return FIXED.pack(MAGIC, 1, kind_of, 0, len(bomb), 1 << 20, zlib.crc32(bomb)) + bomb


def told_wrong(rng: Random, content: bytes) -> bytes:
    """Return a snapshot whose sums are right, and whose header or blocks say what cannot be."""
    kind_of, stated, blocks = opened(content)
    huge = rng.choice([-1, 1 << 53, 1 << 63, 10**400])
    far = rng.choice([1 << 53, 1 << 63, 10**400])
    changes: list[dict[str, Any]] = [
        {"window_start": huge},
        {"window_end": huge},
        {"part": rng.choice([-1, 1 << 63, "1", 1.5])},
        {"sequence": rng.choice(["", "x", "9" * 5_000, "-1", 7, None])},
        {"written_at": rng.choice(["now", None, 10**400])},
        {"blocks": [[one[0] + 1, *one[1:]] for one in stated["blocks"]]},
        {"blocks": [[0, *one[1:]] for one in stated["blocks"]]},
        {"blocks": [[huge, *one[1:]] for one in stated["blocks"]]},
        {"blocks": [one[:2] for one in stated["blocks"]]},
        {"blocks": 7},
    ]
    if kind_of == POSITIONS:
        column = rng.randrange(12)
        base, step, planes, rough = stated["columns"][column]
        wrong = rng.choice([[far, step, planes, rough], [base, huge, planes, rough], [base, step, 9, 0]])
        changes += [{"columns": [*stated["columns"][:column], wrong, *stated["columns"][column + 1 :]]}] * 3
        changes += [{"columns": []}, {"addresses": 5}]
    else:
        changes += [{"fields": []}, {"fields": ["callsign"]}, {"fields": ["icao_address"] * 100}]
    change = rng.choice(changes)
    if "blocks" in change:
        body = content[FIXED.size + struct.unpack_from("<I", content, 8)[0] :]
        return seal(kind_of, json.dumps(stated | change).encode(), body)
    return forge(kind_of, stated | change, blocks)


def swollen(rng: Random, content: bytes) -> bytes:
    """Return a snapshot that is within each bound of the page by itself, and far beyond them together."""
    kind_of, stated, _ = opened(content)
    if kind_of == POSITIONS:
        count, planes = 4096, {0: 1, 1: 1, 2: 1, 11: 1}
        columns = [[0, 1, planes.get(place, 0), 0] for place in range(12)]
        block = deflate(b"\1" * count * len(planes))
        stated |= {"columns": columns}
    else:
        count = 1
        row = [["78121E"], ["x" * 8_000_000], *[[None]] * (len(stated["fields"]) - 2)]
        block = deflate(json.dumps(row).encode())
    repeated = rng.choice([500, 4_000])
    blocks = [[count, len(block), zlib.crc32(block)]] * repeated
    return seal(kind_of, json.dumps(stated | {"blocks": blocks}).encode(), block * repeated)


@kind("a snapshot that cannot be read is left out, said to be, and costs no other shard and no memory", weight=3)
def hostile_snapshots(rng: Random, _now: float) -> AskPlan:
    """One of a shard's objects is damaged, wrong or swollen; then it is well again."""
    good, there = _shard(rng, SHARD, rng.choice([1, 40]))
    other, also = _shard(rng, OTHER, rng.choice([1, 40]))
    key = rng.choice(sorted(other))
    spoilt = rng.choice([damaged, damaged, told_wrong, told_wrong, swollen])(rng, other[key])
    healthy = {**good, **other, "live/shards.json": _listed(SHARD, OTHER)}
    unreadable = True if spoilt != other[key] and not key.endswith("-identity") else None
    visits = [
        Visit(tuple(healthy.items()), frozenset(there | also), unreadable=False),
        Visit(((key, spoilt),), frozenset(there), unreadable),
        Visit(((key, other[key]),), frozenset(there | also), unreadable=False),
    ]
    if BEFORE in key:
        visits = [Visit(tuple((healthy | {key: spoilt}).items()), frozenset(there), unreadable)]
    else:
        visits = visits[rng.randrange(2) :]
        visits[0] = Visit(tuple((healthy | dict(visits[0].objects)).items()), visits[0].shown, visits[0].unreadable)
    return AskPlan(tuple(visits))


@kind("whatever the small live objects hold, questions are answered within bounds", weight=1)
def hostile_lists(rng: Random, _now: float) -> AskPlan:
    """The list of shards or the status is what nobody would write."""
    good, there = _shard(rng, SHARD, 20)
    numbers = ["1e309", "1" * 400, "-1", "0", "1e18", '"60"', "null", "[]", "1" + "0" * 17]
    texts = [b"", b"null", b"[]", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"<html>", b"{}", b'{"shards":[]}']
    if rng.random() < 0.5:
        many = _listed(SHARD, *(f"shardId-{number:012}" for number in range(2, 40)), "../..", "\u0000", "x" * 2_000)
        odd = _listed(SHARD).replace(b'"window_seconds": 60', f'"window_seconds": {rng.choice(numbers)}'.encode())
        objects = {"live/shards.json": rng.choice([*texts, many, odd])}
        whole = objects["live/shards.json"] == many
        expected = frozenset(there if whole else ())
    else:
        field = rng.choice(["visits_every_seconds", "stream_delay_seconds", "source_lag_seconds", "written_at"])
        status = rng.choice(
            [*texts, f'{{"{field}":{rng.choice(numbers)}}}'.encode(), b'{"a":"' + b"x" * 8_000_000 + b'"}']
        )
        objects, expected = {"live/status.json": status, "live/shards.json": _listed(SHARD)}, frozenset(there)
    return AskPlan((Visit(tuple((good | objects).items()), expected),))


@kind("an S3 that fails costs a clear error, and none of what comes later", weight=1)
def failing_reads(rng: Random, _now: float) -> AskPlan:
    """Reads are refused, cut or slow; then all is well."""
    good, there = _shard(rng, SHARD, 20)
    healthy = tuple({**good, "live/shards.json": _listed(SHARD)}.items())
    manner = rng.choice(
        [
            *(Instead(Reply(status, b"<Error><Code>No</Code></Error>")) for status in (400, 500, 503)),
            Close(),
            Delay(0.3),
            Instead(Reply(200, b"LIVE", (("ETag", '"a"'),), length=400)),
        ]
    )
    name = rng.choice(["*", ".open", ".closed", ".shards", ".open-identity"])
    visits = (
        Visit(healthy, frozenset(), rules=(Rule(f"s3.get.live{name}", manner),)),
        Visit((), frozenset(there), unreadable=False),
    )
    return AskPlan(visits, fastest=8.0)
