"""Judges the live objects: compares the joined snapshots with a recount of the stream. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from local.simulator import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.audit.envelope import StoredRecord
    from local.audit.snapshot import State

_EMERGENCIES = frozenset({"7500", "7600", "7700"})
_SOURCES = frozenset({"terrestrial", "satellite"})
_ROUNDED = 1.01e-5
"""Degrees within which a position is the one that was sent: snapshots have hundred-thousandths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was shown: the joined snapshots at the end, what a reader saw go back, and all that anybody may read.

    `words` are live objects and answers of the API, each with its name; `secrets` must not be in any of them. `owed`
    are the shards whose last snapshot S3 refused: there was no invocation after it to bring it.
    """

    view: Mapping[str, State]
    went_back: Sequence[str] = ()
    words: Sequence[tuple[str, bytes]] = ()
    secrets: frozenset[bytes] = field(default_factory=frozenset)
    owed: frozenset[str] = field(default_factory=frozenset)


def wrong(shown: Shown, stream: Iterable[StoredRecord]) -> list[str]:
    """Return what is wrong with the aircraft that are shown, a line each; none where all is right."""
    sent: dict[str, list[dict[str, Any]]] = {}
    owed: set[str] = set()
    for stored in stream:
        update = msgspec.json.decode(stored.data, type=dict[str, Any])
        if "icao_address" in update:
            sent.setdefault(update["icao_address"], []).append(update)
            if stored.shard_id in shown.owed:
                owed.add(update["icao_address"])
    strangers = [f"{address}: shown, and never sent" for address in shown.view.keys() - sent.keys()]
    return strangers + [
        f"{address}: {what}"
        for address, updates in sent.items()
        if (what := (_wrong_while_owed if address in owed else _wrong)(shown.view.get(address), updates)) is not None
    ]


def leaks(shown: Shown) -> list[str]:
    """Return the names of the places that show a secret."""
    return [name for name, text in shown.words if any(secret in text for secret in shown.secrets)]


def _wrong_while_owed(state: State | None, updates: Sequence[dict[str, Any]]) -> str | None:
    """What is wrong with an aircraft whose newest updates S3 has refused: it may be shown as it was, or not at all."""
    if state is None:
        return None
    until_then = [update for update in updates if _freshness(update) <= state.freshness]
    return _wrong(state, until_then) if until_then else f"shown as of {state.freshness}, before it was sent"


def _wrong(state: State | None, updates: Sequence[dict[str, Any]]) -> str | None:
    newest = max(updates, key=_freshness)
    if state is None:
        return f"not shown; expected {_freshness(newest)}"
    if state.freshness != _freshness(newest):
        return f"shown as of {state.freshness}; expected {_freshness(newest)}"
    found = (
        state.altitude,
        state.speed,
        state.vertical_rate,
        state.heading,
        state.on_ground,
        state.source,
        state.emergency,
    )
    squawk, source = newest.get("squawk"), newest.get("collection_type")
    expected = (
        _rounded(newest.get("altitude_baro"), 1_000),
        _rounded(newest.get("speed"), 1_000),
        _rounded(newest.get("vertical_rate"), 1_000),
        None if (tenths := _rounded(newest.get("heading"), 100)) is None else tenths / 10,
        newest.get("on_ground"),
        source if source is None or source in _SOURCES else "other",
        squawk if squawk in _EMERGENCIES else None,
    )
    if found != expected:
        return f"shown with {found}; expected {expected}"
    if state.position_measured is not None and not any(_is_at(state, update) for update in updates):
        return f"shown at {state.latitude}, {state.longitude} as of {state.position_measured}; it never was there then"
    return None


def _is_at(state: State, update: Mapping[str, Any]) -> bool:
    """Whether an update has brought the position that is shown; which of them it has to be, the fold's tests say."""
    latitude, longitude = update.get("latitude"), update.get("longitude")
    if latitude is None or longitude is None or state.latitude is None or state.longitude is None:
        return False
    near = abs(state.latitude - latitude) < _ROUNDED and abs(state.longitude - longitude) < _ROUNDED
    return near and state.position_measured == _freshness(update)[0]


def _freshness(update: Mapping[str, Any]) -> tuple[int, int, float]:
    timestamp = round(times.parse(update["timestamp"]) * 1_000)
    if update.get("ingestion_time") is None:
        return timestamp, timestamp, float("-inf")
    ingestion = round(times.parse(update["ingestion_time"]) * 1_000)
    return min(timestamp, ingestion), timestamp, ingestion


def _rounded(value: float | None, unit: int) -> int | None:
    """Return thousandths of a reading in units, rounded half upwards."""
    return None if value is None else (round(value * 1_000) + unit // 2) // unit
