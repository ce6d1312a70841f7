"""The live objects of generated traffic: written into a bucket, or written again and again to see what that takes."""

from __future__ import annotations

import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from benchmarks.harness.case import Measured
from benchmarks.inputs.live_fleet import Update, columns, header, read_updates
from benchmarks.inputs.live_writer import LiveWriter
from live.writer import write

_WARMING = 5


@dataclass(frozen=True, slots=True)
class Written:
    """CPU seconds of each snapshot, and how many bytes the last one has."""

    seconds: list[float]
    size: int


def put(params: dict[str, Any]) -> Measured:
    """Put the live objects of the lines' aircraft into the bucket at `url`."""
    fleet = _fleet(params)

    def put_object(key: str, body: bytes) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{params['url']}/{key}", body, method="PUT")).close()  # noqa: S310 - our own stub

    writer = LiveWriter(put_object, params["shards"], params["start"])
    writer.add(fleet)
    writer.write(params["start"] + 1_000)
    return Measured(0, len(fleet))


def write_snapshots(params: dict[str, Any]) -> Written:
    """Write a shard's snapshot `runs` times."""
    fleet = [update for update in _fleet(params) if crc32(update.icao_address.encode()) % params["shards"] == 0]
    aircraft = columns(fleet[: params["aircraft"]], params["start"])
    seconds, size = [], 0
    for _ in range(_WARMING + params["runs"]):
        began = time.process_time()
        size = len(write(aircraft, header(params["start"])))
        seconds.append(time.process_time() - began)
    return Written(seconds[_WARMING:], size)


def _fleet(params: dict[str, Any]) -> list[Update]:
    return list(read_updates(Path(params["lines"]).read_bytes().split(b"\n")).values())
