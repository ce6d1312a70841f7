"""Target updates to fold, batches to pass, and a recount that shares nothing with the code under test."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st

from common.target_update import TargetUpdate

ORIGIN = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


@pytest.fixture(scope="session")
def origin():
    """The start of the window that the tests fill."""
    return ORIGIN


@pytest.fixture(scope="session")
def make_update():
    """A function that makes an update `seconds` into the window, ingested `delay` seconds later."""

    def make(icao_address="040172", seconds=0.0, delay=2.0, **fields):
        timestamp = ORIGIN + timedelta(seconds=seconds)
        ingestion_time = None if delay is None else timestamp + timedelta(seconds=delay)
        return TargetUpdate(icao_address=icao_address, timestamp=timestamp, ingestion_time=ingestion_time, **fields)

    return make


def _update(address, microseconds, delay, fields):
    timestamp = ORIGIN + timedelta(microseconds=microseconds)
    ingestion_time = None if delay is None else timestamp + timedelta(microseconds=delay)
    return TargetUpdate(icao_address=address, timestamp=timestamp, ingestion_time=ingestion_time, **fields)


# Few addresses, times and texts, so that duplicates, ties and late updates are usual; now and then an odd one.
_TIMES = st.integers(-2, 12).map(lambda n: n * 5_000_000) | st.integers(-6 * 10**16, 10**15)
_DELAYS = st.none() | st.integers(0, 3).map(lambda n: n * 1_000) | st.integers(-(10**12), 10**12)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "latitude": st.none() | st.floats(-90, 90),
        "longitude": st.floats(-180, 180),
        "altitude_baro": st.integers(-1_000, 50_000).map(float) | st.floats(-1_000_000, 1_000_000),
        "speed": st.floats(0, 700),
        "vertical_rate": st.integers(-8_000, 8_000).map(float),
        "heading": st.floats(0, 360),
        "squawk": st.sampled_from(["7500", "2000", ""]),
        "on_ground": st.booleans(),
        "callsign": st.sampled_from(["ETH701", "ÆØÅ", "DLH4"]),
        "collection_type": st.sampled_from(["terrestrial", "satellite"]),
    },
)


@pytest.fixture(scope="session")
def feeds():
    """A strategy for lists of updates as a feed may bring them: out of order, repeated, with fields missing."""
    update = st.builds(_update, st.sampled_from(["040172", "78121E", "~1"]), _TIMES, _DELAYS, _FIELDS)
    return st.lists(update, max_size=40).flatmap(
        lambda updates: (
            st.lists(st.sampled_from(updates), max_size=5).map(lambda again: updates + again)
            if updates
            else st.just(updates)
        )
    )


@pytest.fixture(scope="session")
def recount():
    """A function that recounts updates, each key once, into what merged rows must say of each aircraft."""

    def count(updates):
        distinct = {}
        for update in updates:
            distinct.setdefault(update.key, update)
        by_aircraft = defaultdict(list)
        for update in distinct.values():
            by_aircraft[update.icao_address].append(update)
        return {address: _summary(mine) for address, mine in by_aircraft.items()}

    return count


def _summary(updates):
    summary = {
        "updates": len(updates),
        "callsigns": {update.callsign for update in updates} - {None},
        "squawks": {update.squawk for update in updates} - {None},
        "collection_types": {update.collection_type for update in updates} - {None},
    }
    for name, unit, field in (
        ("altitude", "ft", "altitude_baro"),
        ("speed", "kt", "speed"),
        ("vertical_rate", "ft_min", "vertical_rate"),
    ):
        values = [round(value * 1000) for update in updates if (value := getattr(update, field)) is not None]
        summary[f"{name}_updates"] = len(values)
        summary[f"{name}_min_{unit}"] = min(values) / 1000 if values else None
        summary[f"{name}_max_{unit}"] = max(values) / 1000 if values else None
        summary[f"{name}_mean_{unit}"] = pytest.approx(sum(values) / len(values) / 1000) if values else None
    return summary


@pytest.fixture(scope="session")
def merge():
    """A function that merges window rows by aircraft, as `rows.py` tells a reader to."""

    def merged(lines):
        distinct = {}
        for line in lines:
            row = json.loads(line)
            key = tuple(row.get(name) for name in ("kind", "window_start", "shard_id", "part", "icao_address"))
            distinct[key] = row
        aircraft = [row for row in distinct.values() if row["kind"] == "aircraft"]
        totals = [row for row in distinct.values() if row["kind"] == "totals"]
        assert sum(row["updates"] for row in aircraft) == sum(row["updates"] for row in totals)
        assert len(aircraft) == sum(row["aircraft"] for row in totals)
        by_address = defaultdict(list)
        for row in aircraft:
            by_address[row["icao_address"]].append(row)
        return {address: _merged(mine) for address, mine in by_address.items()}

    return merged


def _merged(rows):
    merged = {"updates": sum(row["updates"] for row in rows)}
    for name in ("callsigns", "squawks", "collection_types"):
        merged[name] = {value for row in rows for value in row[name]}
    for name, unit in (("altitude", "ft"), ("speed", "kt"), ("vertical_rate", "ft_min")):
        having = [row for row in rows if row[f"{name}_updates"]]
        count = sum(row[f"{name}_updates"] for row in having)
        merged[f"{name}_updates"] = count
        merged[f"{name}_min_{unit}"] = min((row[f"{name}_min_{unit}"] for row in having), default=None)
        merged[f"{name}_max_{unit}"] = max((row[f"{name}_max_{unit}"] for row in having), default=None)
        weighted = sum(row[f"{name}_mean_{unit}"] * row[f"{name}_updates"] for row in having)
        merged[f"{name}_mean_{unit}"] = weighted / count if count else None
    return merged


@pytest.fixture(scope="session")
def make_event():
    """A function that makes the event of one invocation from records' bytes."""

    def make(payloads, state, *, first_number=1, final=False, ended_early=False):
        return {
            "Records": [
                {"kinesis": {"sequenceNumber": str(number), "data": base64.b64encode(payload).decode()}}
                for number, payload in enumerate(payloads, first_number)
            ],
            "window": {"start": "2024-03-04T23:24:00Z", "end": "2024-03-04T23:25:00Z"},
            "state": state,
            "shardId": "shardId-000000000000",
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": ended_early,
        }

    return make
