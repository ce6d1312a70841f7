"""Runs the whole consumer on a paced stream, from a server of the stream to a stub of AWS."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.harness import processes, settings
from benchmarks.harness.processes import BenchmarkError
from benchmarks.inputs import packages

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.harness.workspace import Workspace

MOST_LINES = 50_000
"""Lines generated for a paced stream; it uses them again with other flight ids."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Updates a second, of how many aircraft, for how many seconds."""

    rate: float
    aircraft: int
    seconds: float

    @property
    def updates(self) -> int:
        """How many updates come."""
        return int(self.rate * self.seconds)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the consumer measured, and the file of the lines sent (`MOST_LINES` of them, again and again).

    Where asked for, when each update was sent, and the calls that brought them.
    """

    run: dict[str, Any]
    lines: Path
    sent: list[float]
    calls: list[tuple[float, list[str]]]


def run(workspace: Workspace, pace: Pace, *, keep: bool = False) -> Recorded:
    """Run the consumer, as packaged, on the stream; with `keep`, note when everything came.

    Raises
    ------
    BenchmarkError
        Not every update was published exactly once.
    """
    # The fleet may be no smaller than the rate needs; the lines of a larger rate are the same.
    lines = min(pace.updates, MOST_LINES)
    path = workspace.traffic(f"paced-{pace.aircraft}-{lines}", pace.aircraft / 5, pace.aircraft, lines)
    feed = processes.server("paced_feed", str(path), str(pace.rate), str(pace.seconds))
    with feed as url, settings.aws(*["keep"] * keep) as stub:
        params = {"url": url, "run": "live", "updates": pace.updates, **stub}
        package = packages.ours("consumer", workspace.folder)
        measured = processes.side("benchmarks.sides.live:run", params, package)
        if measured["updates"] != pace.updates:
            raise BenchmarkError(f"{measured['updates']} updates were published; expected {pace.updates}")
        sent = _get(f"{url}/sent") if keep else []
        calls = _get(f"{stub['aws']}/calls") if keep else []
    return Recorded(measured, path, sent, calls)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        return json.load(answer)
