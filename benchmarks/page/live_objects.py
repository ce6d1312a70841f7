"""Bytes of the live objects: an aircraft's, and what a viewer of the world, of a continent and of a city takes.

`python -m benchmarks.page.live_objects` prints the table of docs/decisions/live-objects.md.
"""

from __future__ import annotations

import random
import sys
import time
from itertools import takewhile
from operator import attrgetter

from benchmarks.inputs.live_fleet import Update, columns, header, identities, read_updates
from live import identity_writer
from live.container import read_header
from live.layout import IDENTITIES, POSITIONS
from live.writer import write
from local.simulator.flights import GeneratedTraffic

AIRCRAFT, SHARDS, SECONDS, EVERY = 12_000, 2, 12, 5
START = 1_709_594_640
VIEWS = {
    "the world": (-90, -180, 90, 180),
    "Europe": (35, -12, 60, 30),
    "a country (Germany)": (47, 6, 55, 15),
    "a city (London)": (51, -1, 52, 0.5),
}
SMALLEST_RANGE_GAP = 13_000
"""Bytes between two ranges below which one request for both is cheaper (`web/js/objects.js`)."""


def main() -> None:
    """Print the figures."""
    feed = GeneratedTraffic(rate=AIRCRAFT / 5.001, aircraft=AIRCRAFT, seed=1, start=START).updates()
    lines = [line for _, line in takewhile(lambda update: update[0] < START + SECONDS, feed)]
    updates = read_updates(lines)
    rng = random.Random(1)  # noqa: S311  # a shard for each aircraft
    shards: list[list[Update]] = [[] for _ in range(SHARDS)]
    for update in updates.values():
        rng.choice(shards).append(update)
    snapshots = []
    for fleet in shards:
        aircraft = columns(fleet, START * 1000)
        started = time.process_time()
        positions = write(aircraft, header(START * 1000))
        spent = time.process_time() - started
        texts = identity_writer.write(aircraft, identities(fleet), header(START * 1000))
        snapshots.append((positions, texts))
        sys.stdout.write(
            f"{len(fleet)} aircraft: positions {len(positions) / len(fleet):.1f} bytes each in {spent * 1000:.1f} ms, "
            f"identities {len(texts) / len(fleet):.1f} bytes each\n"
        )
    sys.stdout.write("\n| view | aircraft | requests a poll | bytes a poll | bytes/s | with identities |\n")
    sys.stdout.write("|---|--:|--:|--:|--:|--:|\n")
    for name, box in VIEWS.items():
        requests = taken = seen = more = 0
        for positions, texts in snapshots:
            count, size, inside = _taken(positions, POSITIONS, box)
            requests, taken, seen = requests + count, taken + size, seen + inside
            more += _taken(texts, IDENTITIES, box)[1]
        rate = taken / EVERY
        sys.stdout.write(f"| {name} | {seen:,} | {requests} | {taken:,} | {rate:,.0f} | {rate + more / 60:,.0f} |\n")


def _taken(data: bytes, kind: int, box: tuple[float, float, float, float]) -> tuple[int, int, int]:
    """Return requests, bytes and aircraft of a reader of a box."""
    found, start = read_header(data, kind)
    wanted = [block.touches(*box) for block in found.blocks]
    sizes = list(map(attrgetter("size"), found.blocks))
    if sum(size for size, want in zip(sizes, wanted, strict=True) if want) > len(data) * 0.6:
        return 1, len(data), found.aircraft
    requests, taken, gap = 1, start, SMALLEST_RANGE_GAP
    for size, want in zip(sizes, wanted, strict=True):
        if not want:
            gap += size
        elif gap >= SMALLEST_RANGE_GAP:
            requests, taken, gap = requests + 1, taken + size, 0
        else:
            taken, gap = taken + gap + size, 0
    inside = sum(block.aircraft for block, want in zip(found.blocks, wanted, strict=True) if want)
    return requests, taken, inside


if __name__ == "__main__":
    main()
