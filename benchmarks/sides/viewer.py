"""A viewer of the live objects: polls them over HTTP as the page does, and notes how old each new position is."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from live import objects, reader
from live.order import NO_INGESTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live.reader import Target


@dataclass(frozen=True, slots=True)
class Seen:
    """How old each position was when it was seen first, in seconds since the provider had received it."""

    ages: list[float]


def watch(params: dict[str, Any]) -> Seen:
    """Watch for `seconds`, after `warming` seconds from the first aircraft on."""
    return Seen(list(_ages(params["url"], params["poll"], params["warming"], params["seconds"])))


def _ages(url: str, poll: float, warming: float, seconds: float) -> Iterator[float]:
    seen: dict[str, int] = {}
    began: float | None = None
    while began is None or time.monotonic() - began < warming + seconds:
        asked = time.monotonic()
        for target in _targets(url):
            began = began or asked
            measured, ingestion = target.position_measured, target.freshness.ingestion
            if measured is None or measured != target.freshness.measured or ingestion == NO_INGESTION:
                continue  # the newest update brought no position
            if seen.get(target.icao_address) != measured:
                seen[target.icao_address] = measured
                if asked - began > warming:
                    yield time.time() - ingestion / 1_000
        time.sleep(max(0.0, poll - (time.monotonic() - asked)))


def _targets(url: str) -> Iterator[Target]:
    """Yield all aircraft of the open windows."""
    listed = _get(url + objects.SHARDS)
    for shard in json.loads(listed)["shards"] if listed else ():
        snapshot = _get(url + objects.open_window(shard))
        if snapshot:
            yield from reader.read(snapshot)[1]


def _get(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the local stack's own server
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError:
        return None  # it is not there yet
