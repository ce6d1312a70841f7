"""What lies in the bucket in the checkpoint's place: years that are none, leases for ever, another program's JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.plan import Run, Traffic, stamp

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan


@kind("an odd checkpoint is refused in our words or healed, and is never taken for none", weight=3)
def odd_checkpoints(rng: Random, now: float) -> ConsumerPlan:
    """Between two runs the checkpoint is replaced by something odd; later the true one is put back."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(2, 5)
    traffic.gate(1)
    traffic.intervals(2, 5)
    odd = rng.choice(_odd(rng, now))
    return traffic.plan(
        Run(2.5),
        Run(3.0, checkpoint=odd),
        Run(14.0, end="settled", restored=True),
        **record_format(rng),
    )


@kind("a lease that no consumer of ours can have written does not stop the stream for ever")
def endless_lease(rng: Random, now: float) -> ConsumerPlan:
    """An hour ago a checkpoint was written whose lease ends in hours or years; the stream has to go on all the same."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(2, 5)
    lease = {
        "owner": "somebody",
        "expires_at": rng.choice(["2099-01-01T00:00:00Z", stamp(now + 4 * 3_600), stamp(now + 86_400.0 * 365)]),
    }
    held = {
        "version": 1,
        "position_token": "tok-0-0",
        "token_received_at": stamp(now - 60),
        "newest_ingestion_time": stamp(now - 400),
        "gap": None,
        "lease": lease,
    }
    return traffic.plan(Run(3.0, checkpoint=json.dumps(held).encode()), Run(14.0, end="settled"), **record_format(rng))


def _odd(rng: Random, now: float) -> list[bytes]:
    good: dict[str, Any] = {
        "version": 1,
        "position_token": "tok-3-1",
        "token_received_at": stamp(now - 60),
        "newest_ingestion_time": stamp(now - 200),
        "gap": None,
        "lease": None,
    }
    years = (
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
        "soon",
        "",
        5,
        None,
        1e300,
    )
    changed: list[dict[str, Any]] = [
        {name: rng.choice(years)}
        for name in ("token_received_at", "newest_ingestion_time", "token_received_at", "newest_ingestion_time")
    ]
    changed += [
        {"gap": {"start": rng.choice(years), "end": rng.choice(years)}},
        {"gap": {"start": stamp(now), "end": stamp(now - 100)}},
        {"gap": {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}},
        {"gap": rng.choice([[], {}, "x", 3])},
        {"lease": {"owner": rng.choice(["", None, 5, "x" * 100_000]), "expires_at": rng.choice(years)}},
        {"lease": rng.choice([[], {}, "x", 3])},
        {
            "position_token": rng.choice(
                ["", " ", None, 5, [], "tok\r\nX-Injected: 1", "x" * 100_000, "\u2028é", "\ud800"]
            )
        },
        {"version": rng.choice([0, 2, "1", None, 1e309])},
        {"frontier": rng.choice([5, "x", [None], {"a": 1}, ["x"] * 50_000])},
    ]
    files = [json.dumps(good | change).encode() for change in changed]
    files += [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\x00" * 100,
        b"\xef\xbb\xbf" + json.dumps(good).encode(),
        json.dumps({"Records": []}).encode(),
    ]
    files += [
        b"[" * 100_000,
        json.dumps(good).encode()[:-5],
        json.dumps(good).encode() + b"}",
        b'{"position_token":"tok-3-1"}',
        b"tok-3-1",
    ]
    return files
