"""What the map takes of a browser: the page's own thread, its heap, and the time until the first aircraft is drawn.

`python -m benchmarks.page.map` drives Debian's Chromium, headless and without a graphics processor, with aircraft
all over the world that are written again every five seconds, and prints a table. The page draws all of them. The
thread's share and its tasks are processor time, which other work on the machine hardly changes; the first is not.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.inputs.live_fleet import Update
from benchmarks.inputs.live_writer import LiveWriter
from benchmarks.page.browser import launched
from benchmarks.servers.live_site import LiveSite
from local.threads import ThreadWatch
from local.web.server import WebServer
from local.web.static_files import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = Path(__file__).resolve().parent.parent.parent / "web"
EVERY = 5
SETTLING = 5
"""Seconds: between two snapshots, and after the first aircraft before anything is counted."""

WATCH = """
new MutationObserver(() => {
  if (Number(document.documentElement.dataset.aircraft) > 0) window.first ??= performance.now();
}).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-aircraft'] });
"""
LONG_MS = 50

type Snapshot = tuple[float, dict[str, bytes]]
"""When it is put there, seconds since the epoch, and what."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page.map", description="What the map takes")
    parser.add_argument("--aircraft", type=int, nargs="+", default=[12_000, 50_000])
    parser.add_argument("--seconds", type=int, default=30, help="for which the page is watched")
    options = parser.parse_args()
    sys.stdout.write(
        "| aircraft | first drawn after | main thread | longest task | tasks over 50 ms | heap |\n"
        "|--:|--:|--:|--:|--:|--:|\n"
    )
    for aircraft in options.aircraft:
        with ThreadWatch(lambda _: None) as threads:
            found = measure(aircraft, options.seconds)
        if threads.failures:
            sys.exit(threads.failures[0])
        sys.stdout.write(
            f"| {aircraft:,} | {found['first']:.0f} ms | {found['busy']:.1%} | {found['longest']:.0f} ms "
            f"| {found['long']} | {found['heap'] / 2**20:.1f} MB |\n"
        )
        sys.stdout.flush()


def measure(aircraft: int, seconds: int) -> dict[str, float]:
    """Return milliseconds until the first aircraft, the main thread's share, its longest task, and the heap's bytes."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # the other measures do without a browser

    site, stop = LiveSite(), threading.Event()
    coming = prepared(aircraft, seconds + SETTLING + 30)
    begins = time.time()
    late = begins - coming[0][0]
    with WebServer(StaticFiles(WEB)) as server, sync_playwright() as playwright:
        server.connect(site, site)
        for key, content in coming[0][1].items():
            site.put(key, content)
        writing = threading.Thread(target=_put, args=(site, coming[1:], max(0.0, late), stop))
        writing.start()
        browser = launched(playwright)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.add_init_script(WATCH)
            client = page.context.new_cdp_session(page)
            client.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(server.url)
            while not page.evaluate("window.first"):
                time.sleep(0.05)
            time.sleep(SETTLING)
            before, since = _metrics(client), time.monotonic()
            browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
            time.sleep(seconds)
            tasks = _tasks(json.loads(browser.stop_tracing()))
            after, until = _metrics(client), time.monotonic()
            return {
                "first": page.evaluate("window.first"),
                "busy": (after["TaskDuration"] - before["TaskDuration"]) / (until - since),
                "longest": max(tasks, default=0.0),
                "long": sum(task > LONG_MS for task in tasks),
                "heap": after["JSHeapUsedSize"],
            }
        finally:
            browser.close()
            stop.set()
            writing.join()


def prepared(count: int, seconds: int) -> list[Snapshot]:
    """Return what is to be written of so many aircraft, made beforehand so that it takes nothing from the browser."""
    rng = random.Random(1)  # noqa: S311  # the same sky each time
    fleet = [_aircraft(rng, number) for number in range(count)]
    # Making one takes a second or two of each five.
    start = time.time() + count / 12_000 * seconds / EVERY
    objects: dict[str, bytes] = {}
    writer = LiveWriter(objects.__setitem__, max(1, count // 6_000), int(start * 1000))
    snapshots = []
    for step in range(0, seconds, EVERY):
        now = datetime.fromtimestamp(start + step, UTC)
        for update in fleet:
            update.timestamp, update.ingestion_time = now - timedelta(seconds=4), now - timedelta(seconds=1)
            assert update.longitude is not None, "each has a place"
            update.longitude = (update.longitude + 0.01 + 180) % 360 - 180
        writer.write(int((start + step) * 1000))
        writer.add(fleet)
        objects.clear() if step else None
        writer.write(int((start + step) * 1000))
        snapshots.append((start + step, dict(objects)))
    time.sleep(max(0.0, start - time.time()))
    return snapshots


def _aircraft(rng: random.Random, number: int) -> Update:
    now = datetime.now(UTC)
    return Update(
        icao_address=f"{number * 37 % (1 << 24):06X}",
        timestamp=now,
        ingestion_time=now,
        latitude=max(-75.0, min(75.0, rng.gauss(35, 20))),
        longitude=rng.uniform(-180, 180),
        altitude_baro=rng.randrange(1_640) * 25.0,
        speed=float(rng.randrange(120, 520)),
        vertical_rate=rng.choice((0.0, 64.0 * rng.randrange(-30, 30))),
        heading=rng.uniform(0, 360),
        on_ground=False,
        callsign=f"{rng.choice(('DLH', 'BAW', 'AFR', 'UAL', 'CCA'))}{number % 9_999}",
        tail_number=f"N{number}",
        airline_iata=rng.choice(("LH", "BA", "AF", "UA", "CA")),
        aircraft_type_icao=rng.choice(("A20N", "B738", "A359", "B77W", "E190")),
        departure_airport_icao=rng.choice(("EDDF", "EGLL", "LFPG", "KJFK", "ZBAA")),
        arrival_airport_icao=rng.choice(("EDDM", "EGKK", "LFPO", "KSFO", "ZSPD")),
        collection_type="terrestrial",
    )


def _put(site: LiveSite, coming: list[Snapshot], late: float, stop: threading.Event) -> None:
    for due, objects in coming:
        if stop.wait(max(0.0, due + late - time.time())):
            return
        for key, content in objects.items():
            site.put(key, content)


def _tasks(trace: dict[str, Any]) -> list[float]:
    """Return the processor time of each task of the page's own thread, in milliseconds."""
    events = trace["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [
        event.get("tdur", 0) / 1000
        for event in events
        if event.get("ph") == "X" and "RunTask" in event["name"] and (event["pid"], event["tid"]) in main
    ]


def _metrics(client: Any) -> dict[str, float]:
    found: Iterator[dict[str, Any]] = client.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


if __name__ == "__main__":
    main()
