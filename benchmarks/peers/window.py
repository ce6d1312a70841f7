"""The usual window handler: base64, `json.loads`, and a dict of dicts with least, greatest, sum and average per key."""

from __future__ import annotations

import base64
import json
from typing import Any

READINGS = ("altitude_baro", "speed")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Fold the batch into the window's state."""
    state = event["state"]
    for record in event["Records"]:
        update = json.loads(base64.b64decode(record["kinesis"]["data"]))
        aircraft = state.setdefault(update["icao_address"], {"count": 0})
        aircraft["count"] += 1
        for name in READINGS:
            if name in update:
                _add(aircraft, name, update[name])
    return {"state": state, "batchItemFailures": []}


def _add(aircraft: dict[str, Any], name: str, value: float) -> None:
    if name not in aircraft:
        aircraft[name] = {"count": 1, "min": value, "max": value, "sum": value, "avg": value}
        return
    reading = aircraft[name]
    reading["count"] += 1
    reading["min"] = min(reading["min"], value)
    reading["max"] = max(reading["max"], value)
    reading["sum"] += value
    reading["avg"] = reading["sum"] / reading["count"]
