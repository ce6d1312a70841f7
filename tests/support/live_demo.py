"""The map without the stack: `python -m tests.support.live_demo --aircraft 12000` serves it with generated traffic."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path

from benchmarks.inputs.live_fleet import read_updates
from benchmarks.inputs.live_writer import LiveWriter
from benchmarks.servers.live_site import LiveSite
from local.simulator.flights import GeneratedTraffic
from local.web.server import WebServer
from local.web.static_files import StaticFiles

PAGE = Path(__file__).resolve().parent.parent.parent / "web"


def main() -> None:
    """Serve until Ctrl-C, or for `--seconds`."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.live_demo", description="The map without the stack")
    parser.add_argument("--aircraft", type=int, default=2_000)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two snapshots")
    parser.add_argument("--past", type=int, default=5, help="minutes of closed windows to begin with")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    site = LiveSite()
    with WebServer(StaticFiles(PAGE), port=options.port) as server:
        server.connect(site, site)
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        feed(site, options, threading.Event())


def feed(site: LiveSite, options: argparse.Namespace, stop: threading.Event) -> None:
    """Write live objects in real time, after a past that is written at once."""
    begin = time.time() - options.past * 60
    traffic = GeneratedTraffic(rate=options.aircraft / 5.001, aircraft=options.aircraft, seed=1, start=begin)
    writer = LiveWriter(site.put, options.shards, int(begin * 1000))
    until, due, lines = time.monotonic() + options.seconds, begin, []
    for at, line in traffic.updates():
        while at >= due:
            writer.add(read_updates(lines).values())
            lines.clear()
            writer.write(int(due * 1000))
            if time.time() - due < options.every:
                writer.write_status(int(due * 1000), options.every)
            due += options.every
            if stop.wait(max(0.0, due - time.time())) or time.monotonic() > until:
                return
        lines.append(line)


if __name__ == "__main__":
    main()
