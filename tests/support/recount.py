"""The named queries again, in plain Python over the updates as received: what each has to answer."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean

from tests.support.data_folder import fields


def moment(text):
    """A time without its zone, as the archive has it."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=None)


def updates(lines, first="0001-01-01", last="9999-12-31"):
    """The updates ingested from a day to another, inclusive, each as its fields."""
    return [one for one in map(fields, lines) if first <= one["ingestion_time"][:10] <= last]


def _by_aircraft(found):
    aircraft = defaultdict(list)
    for one in found:
        aircraft[one["icao_address"]].append(one)
    return aircraft


def _greatest(values):
    return max((value for value in values if value is not None), default=None)


def busiest(found):
    """`busiest`."""
    rows = [
        (
            address,
            _greatest(one.get("tail_number") for one in own),
            _greatest(one.get("aircraft_type_icao") for one in own),
            len(own),
            len({one["callsign"] for one in own if "callsign" in one}),
            min(moment(one["timestamp"]) for one in own),
            max(moment(one["timestamp"]) for one in own),
        )
        for address, own in _by_aircraft(found).items()
    ]
    return sorted(rows, key=lambda row: (-row[3], row[0]))[:20]


def airport_movements(found):
    """`airport-movements`."""
    days = sorted(one["ingestion_time"][:10] for one in found)
    counts = defaultdict(lambda: [0, 0])
    for place, (airport, at) in enumerate(
        (("departure_airport_icao", "takeoff_time"), ("arrival_airport_icao", "landing_time"))
    ):
        moved = {(one["icao_address"], one.get(airport), one.get(at)) for one in found}
        for _, name, when in moved:
            if name is not None and when is not None and days[0] <= when[:10] <= days[-1]:
                counts[name][place] += 1
    rows = [(name, takeoffs, landings) for name, (takeoffs, landings) in counts.items()]
    return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))


def coverage_gaps(found):
    """`coverage-gaps`."""
    rows = []
    for address, own in _by_aircraft(found).items():
        own.sort(key=lambda one: (moment(one["timestamp"]), moment(one["ingestion_time"])))
        for before, after in pairwise(own):
            gap = moment(after["timestamp"]) - moment(before["timestamp"])
            is_one_flight = "callsign" in after and after["callsign"] == before.get("callsign")
            is_flying = not after.get("on_ground") and not before.get("on_ground")
            if gap > timedelta(minutes=5) and is_one_flight and is_flying:
                rows.append(
                    (
                        address,
                        after["callsign"],
                        round(gap / timedelta(minutes=1), 2),
                        moment(before["timestamp"]),
                        before.get("latitude"),
                        before.get("longitude"),
                        moment(after["timestamp"]),
                        after.get("latitude"),
                        after.get("longitude"),
                        after.get("altitude_baro"),
                    )
                )
    return sorted(rows, key=lambda row: (row[3] - row[6], row[0], row[6]))[:100]


def slowest_regions(found):
    """`slowest-regions`."""
    cells = defaultdict(list)
    for one in found:
        if "latitude" in one and "longitude" in one:
            cells[math.floor(one["latitude"] / 5) * 5, math.floor(one["longitude"] / 5) * 5].append(one)
    rows = []
    for (south, west), own in cells.items():
        delays = [(moment(one["ingestion_time"]) - moment(one["timestamp"])).total_seconds() for one in own]
        by_satellite = fmean(one.get("collection_type") == "satellite" for one in own)
        if len(own) >= 10:
            rows.append((south, west, len(own), fmean(delays), max(delays), by_satellite))
    return sorted(rows, key=lambda row: (-row[3], row[0], row[1]))[:50]


def duplicates(found, rows, again):
    """`duplicates`, where there are so many window rows, and some of them were delivered again."""
    moments = Counter((one["icao_address"], moment(one["timestamp"])) for one in found)
    return [
        ("updates", len(found), len(found)),
        ("updates, by aircraft and timestamp alone", len(found), len(moments)),
        ("window rows", rows, rows),
        ("window rows, as delivered", rows + again, rows),
    ]


def alerts_by_kind(found):
    """`alerts-by-kind`, of alerts as they are in the log."""
    kinds = defaultdict(list)
    for one in found:
        kinds[one["rule"], one["squawk"] if one["rule"] == "emergency_squawk" else None].append(one)
    rows = [
        (
            rule,
            squawk,
            len(own),
            len({one["icao_address"] for one in own}),
            min(one["at"] for one in own),
            max(one["at"] for one in own),
        )
        for (rule, squawk), own in kinds.items()
    ]
    return sorted(rows, key=lambda row: (-row[2], row[0], row[1] or "~"))
