"""The expected results, recounted from the feed and the stream by plain code.

Nothing here is shared with the functions: it is the other opinion on windows and alerts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from local.simulator import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.audit.envelope import StoredRecord

type AlertKey = tuple[str, str, str, str]
"""Rule, ICAO address, timestamp and ingestion time of the update that raised the alert."""

type RowKey = tuple[str, str, str]
"""Window start, shard, ICAO address."""

_EMERGENCIES = frozenset({"7500", "7600", "7700"})
_STEEPEST = -6000
_FASTEST_TAXI, _HIGHEST_AIRPORT = 250, 15_000


def alerts(stream: Iterable[StoredRecord], suppression: float) -> Counter[AlertKey]:
    """Return the alerts that a stream calls for: of a subject and aircraft, none within `suppression` of another.

    Times are those of measurement, in seconds; none is later than the ingestion or the arrival, which come first where
    the schedule's clock has jumped ahead. An emergency's code is its own subject. An update counts once.
    """
    alerted: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    called_for: Counter[AlertKey] = Counter()
    for stored in stream:
        update = msgspec.json.decode(stored.data, type=dict[str, Any])
        if "icao_address" not in update:
            continue
        # Milliseconds, as whole numbers: the boundary must not depend on rounding.
        times_of_it = (times.parse(update["timestamp"]), times.parse(update["ingestion_time"]))
        measured = min(*(round(one * 1000) for one in times_of_it), round(stored.arrival * 1_000_000) // 1000)
        reach = round(suppression * 1000)
        for rule, subject in _rules(update):
            alert = (rule, update["icao_address"], update["timestamp"], update["ingestion_time"])
            moments = alerted[rule, subject, update["icao_address"]]
            if alert not in called_for and all(abs(measured - other) >= reach for other in moments):
                moments.append(measured)
                called_for[alert] = 1
    return called_for


def _rules(update: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    squawk = str(update.get("squawk"))
    if squawk in _EMERGENCIES:
        found.append(("emergency_squawk", squawk))
    grounded = update.get("on_ground") is True and _low_and_slow(update)
    if (update.get("vertical_rate") or 0) < _STEEPEST and not grounded:
        found.append(("steep_descent", ""))
    return found


def _low_and_slow(update: Mapping[str, Any]) -> bool:
    return (update.get("speed") or 0) <= _FASTEST_TAXI and (update.get("altitude_baro") or 0) <= _HIGHEST_AIRPORT


@dataclass(frozen=True, slots=True)
class Counted:
    """What one aircraft's rows of one window must add up to; altitudes in feet, times in seconds since the epoch."""

    updates: int
    first: float
    last: float
    altitude_updates: int
    lowest: float | None
    highest: float | None
    squawks: frozenset[str]


def windows(stream: Iterable[StoredRecord], size: int) -> dict[RowKey, Counted]:
    """Count a stream by window and aircraft; an update counts once in a window, however often it is there."""
    found: dict[RowKey, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    for stored in stream:
        update = msgspec.json.decode(stored.data, type=dict[str, Any])
        if "icao_address" not in update:
            continue  # a damaged envelope; the verdict names it as a record that was never sent
        start = int(stored.arrival // size) * size
        place = (times.whole_second(start), stored.shard_id, update["icao_address"])
        found[place][update["timestamp"], update["ingestion_time"]] = update
    return {place: _counted(list(updates.values())) for place, updates in found.items()}


def _counted(updates: list[dict[str, Any]]) -> Counted:
    moments = [times.parse(update["timestamp"]) for update in updates]
    altitudes = [update["altitude_baro"] for update in updates if "altitude_baro" in update]
    return Counted(
        updates=len(updates),
        first=min(moments),
        last=max(moments),
        altitude_updates=len(altitudes),
        lowest=min(altitudes, default=None),
        highest=max(altitudes, default=None),
        squawks=frozenset(update["squawk"] for update in updates if "squawk" in update),
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """The sink's rows, one that came twice counted once: those of aircraft, merged by window and aircraft.

    There must be none of the others: `contradictions` are rows that bear a key of another row's and say something else,
    `mistotalled` the parts of windows whose totals are not the sum of their rows of aircraft, with both numbers.
    """

    aircraft: dict[RowKey, Counted]
    contradictions: int
    mistotalled: dict[tuple[str, str, str], tuple[int, int]]


def merged(lines: Iterable[bytes]) -> Rows:
    """Merge the sink's rows."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    contradictions = 0
    for line in lines:
        row = msgspec.json.decode(line, type=dict[str, Any])
        key = (row["kind"], _window(row), row["shard_id"], str(row["part"]), row.get("icao_address", ""))
        contradictions += rows.setdefault(key, row) != row
    of_aircraft: dict[RowKey, list[dict[str, Any]]] = defaultdict(list)
    sums: dict[str, Counter[tuple[str, str, str]]] = {"aircraft": Counter(), "totals": Counter()}
    for (kind, window, shard, part, aircraft), row in rows.items():
        sums[kind][window, shard, part] += row["updates"]
        if kind == "aircraft":
            of_aircraft[window, shard, aircraft].append(row)
    counted, totals = sums["aircraft"], sums["totals"]
    return Rows(
        aircraft={place: _merge(found) for place, found in of_aircraft.items()},
        contradictions=contradictions,
        mistotalled={
            part: (counted[part], totals[part])
            for part in counted.keys() | totals.keys()
            if counted[part] != totals[part]
        },
    )


def _window(row: Mapping[str, Any]) -> str:
    return times.whole_second(int(times.parse(row["window_start"])))


def _merge(rows: list[dict[str, Any]]) -> Counted:
    return Counted(
        updates=sum(row["updates"] for row in rows),
        first=min(times.parse(row["first_timestamp"]) for row in rows),
        last=max(times.parse(row["last_timestamp"]) for row in rows),
        altitude_updates=sum(row["altitude_updates"] for row in rows),
        lowest=min((row["altitude_min_ft"] for row in rows if "altitude_min_ft" in row), default=None),
        highest=max((row["altitude_max_ft"] for row in rows if "altitude_max_ft" in row), default=None),
        squawks=frozenset().union(*(row["squawks"] for row in rows)),
    )
