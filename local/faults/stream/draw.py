"""Draws what goes wrong with the Tracking Stream in a fault schedule."""

from __future__ import annotations

import random
from http import HTTPStatus

from local.faults.stream.fault import UpstreamFault, UpstreamKind
from local.faults.traffic import has_wrong_times
from local.faults.waits import SILENCE_SECONDS, STALE_SECONDS

_REFUSED_SHARE = 0.7
"""Of the schedules with wrong ingestion times: those in which a token is refused for certain."""

TOKEN_LIFETIME = 6 * 3600.0
_BEYOND_LIFETIME = 7 * 3600.0

_STATUSES = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def upstream_faults(rng: random.Random, updates: int) -> list[UpstreamFault]:
    """Draw one to six faults of the stream, each at an update of the feed."""
    kinds = rng.choices(list(UpstreamKind), k=rng.randint(1, 6))
    faults = []
    for kind in kinds:
        at = rng.randrange(1, updates * 9 // 10)
        match kind:
            case UpstreamKind.STALL:
                faults.append(UpstreamFault(kind=kind, at=at, seconds=rng.choice((0.3, SILENCE_SECONDS + 0.4))))
            case UpstreamKind.KEEP_ALIVES:
                faults.append(UpstreamFault(kind=kind, at=at, seconds=rng.choice((0.3, STALE_SECONDS + 0.6))))
            case UpstreamKind.SAME_TOKEN | UpstreamKind.TRICKLE | UpstreamKind.NOT_LISTENING:
                faults.append(UpstreamFault(kind=kind, at=at, seconds=rng.uniform(0.2, 1.0)))
            case UpstreamKind.STATUS:
                status = rng.choice(_STATUSES)
                faults.append(UpstreamFault(kind=kind, at=at, status=status, count=rng.randint(1, 2)))
            case UpstreamKind.CLOCK_JUMP:
                ahead = any(one.seconds == _BEYOND_LIFETIME for one in faults)
                jump = rng.uniform(-0.8, 0.8) if ahead or rng.random() < 0.5 else _BEYOND_LIFETIME  # noqa: PLR2004
                faults.append(UpstreamFault(kind=kind, at=at, seconds=jump))
                # The jump shows at the next request alone: have one made.
                faults.append(UpstreamFault(kind=UpstreamKind.DISCONNECT, at=at + rng.randint(1, 20)))
            case _:
                faults.append(UpstreamFault(kind=kind, at=at))
    return faults


def refused_after_wrong_times(seed: int, updates: int) -> list[UpstreamFault]:
    """Have a token refused in most schedules with wrong ingestion times, by which the recovery then has to go.

    A separate draw, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"refused after wrong times {seed}")
    if not has_wrong_times(seed) or rng.random() >= _REFUSED_SHARE:
        return []
    return [UpstreamFault(kind=UpstreamKind.TOKEN_REFUSED, at=rng.randrange(updates // 5, updates * 9 // 10))]
