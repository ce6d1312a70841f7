"""Writes live objects of generated traffic as the aggregator does: open windows, closed ones, status and alerts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zlib import crc32

from benchmarks.inputs.live_fleet import WINDOW_MS, Update, columns, header, identities
from live import identity_writer, objects
from live.layout import EMERGENCIES
from live.writer import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class LiveWriter:
    """Keeps the newest update of each aircraft of the open window, by shard, and writes both kinds of window.

    `put` takes an object's key and bytes; times are milliseconds since the epoch.
    """

    def __init__(self, put: Callable[[str, bytes], None], shards: int, since: int) -> None:
        self._put = put
        self._names = [f"shardId-{number:012}" for number in range(shards)]
        self._windows: list[dict[str, Update]] = [{} for _ in self._names]
        self._start = since - since % WINDOW_MS
        self._sequence = 0
        self._updates = 0
        self._alerts: list[dict[str, object]] = []
        self._emergencies: set[str] = set()
        first = {name: {"since": _text(self._start)} for name in self._names}
        put(objects.SHARDS, json.dumps({"version": 1, "window_seconds": WINDOW_MS // 1000, "shards": first}).encode())

    def add(self, updates: Iterable[Update]) -> None:
        """Take updates as they arrive."""
        for update in updates:
            self._sequence += 1
            self._updates += 1
            self._windows[crc32(update.icao_address.encode()) % len(self._windows)][update.icao_address] = update
            if update.squawk in EMERGENCIES[1:] and update.icao_address not in self._emergencies:
                self._emergencies.add(update.icao_address)
                self._alert(update)

    def write(self, now: int) -> None:
        """Write what is known by now; a window that has ended is closed first."""
        while now >= self._start + WINDOW_MS:
            for name, window in zip(self._names, self._windows, strict=True):
                self._put_window(name, window, now, closed=True)
                window.clear()
            self._start += WINDOW_MS
        for name, window in zip(self._names, self._windows, strict=True):
            self._put_window(name, window, now, closed=False)

    def write_status(self, now: int, seconds: float) -> None:
        """Write a consumer's status after so many seconds of updates."""
        status = {
            "written_at": _text(now),
            "source_lag_seconds": 2.9,
            "committed_token_age_seconds": 4.0,
            "received_per_second": round(self._updates / seconds, 1),
        }
        self._updates = 0
        self._put(objects.STATUS, json.dumps(status).encode())

    def _put_window(self, name: str, window: dict[str, Update], now: int, *, closed: bool) -> None:
        fleet = list(window.values())
        aircraft, texts = columns(fleet, self._start), identities(fleet)
        version = identity_writer.version(aircraft.icao_address, texts)
        head = header(self._start, name, written_at=now, sequence=str(self._sequence), closed=closed, identity=version)
        key = objects.closed_window(name, self._start + WINDOW_MS) if closed else objects.open_window(name)
        self._put(key + objects.IDENTITY, identity_writer.write(aircraft, texts, head))
        self._put(key, write(aircraft, head))

    def _alert(self, update: Update) -> None:
        at = update.timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        alert: dict[str, object] = {
            "id": f"emergency_squawk#{update.icao_address}#{at}",
            "rule": "emergency_squawk",
            "icao_address": update.icao_address,
            "at": at,
            "callsign": update.callsign,
            "squawk": update.squawk,
            "latitude": update.latitude,
            "longitude": update.longitude,
            "altitude_baro": update.altitude_baro,
        }
        self._alerts = [alert, *self._alerts[:99]]
        self._put(objects.ALERTS, json.dumps({"version": 1, "alerts": self._alerts}).encode())


def _text(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
