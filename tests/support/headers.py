"""The header that the consumer writes of updates."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from consumer.publish.envelope_writer import Header


def header(updates):
    """The arrays, as they are written, by the names of their fields."""
    made = Header()
    made.add(updates)
    found: dict[str, list[Any]] = json.loads(msgspec.json.encode(made.arrays()))
    return found
