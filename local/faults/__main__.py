"""Breaks things on purpose, schedule by schedule, and reports whether the promises held: `pipenv run chaos`."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.audit.envelope import ENVELOPE, FORMATS
from local.faults.rig import Rig
from local.faults.schedule import FaultSchedule
from local.faults.schedule_run import Outcome, ScheduleRun
from local.shell_settings import shut_out
from local.simulator.options import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

DEFAULT_SCHEDULES = 200
_COUNTED = (
    "lost",
    "out_of_order",
    "duplicates",
    "duplicates_unexplained",
    "windows_wrong",
    "alerts",
    "alerts_missing",
    "alerts_repeated",
    "unfinished",
    "misplaced",
)
_FIRST_PORT, _LAST_PORT = 20_000, 30_000
"""Below the ports that Linux gives to outgoing connections: a simulator that restarts finds its port free."""


@dataclass(slots=True)
class Totals:
    """What all schedules together came to."""

    schedules: int = 0
    envelope_schedules: int = 0
    seconds: float = 0.0
    figures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failing_seeds: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Add one schedule's."""
        self.schedules += 1
        self.envelope_schedules += outcome.record_format == ENVELOPE
        self.figures.update({name: getattr(outcome.verdict, name) for name in _COUNTED})
        self.faults += outcome.faults
        if not outcome.verdict.clean:
            self.failing_seeds.append(outcome.seed)

    def as_json(self) -> dict[str, Any]:
        """Return what `--report` writes."""
        return {
            "schedules": self.schedules,
            "envelope_schedules": self.envelope_schedules,
            **{name: self.figures[name] for name in _COUNTED},
            "faults": dict(sorted(self.faults.items())),
            "failing_seeds": sorted(self.failing_seeds),
            "seconds": round(self.seconds, 1),
        }


def free_port() -> int:
    """Return a port that nobody listens on and no outgoing connection is given."""
    for _ in range(100):
        port = random.randrange(_FIRST_PORT, _LAST_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port was found for the simulator")


def _work(connection: Connection, record_format: str | None, verbose: bool) -> None:  # noqa: FBT001 -- a process's arguments are positional
    """Run the schedules whose seeds come in, until there is none; a worker's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to end
    rig = Rig(free_port(), _tell if verbose else None)
    try:
        while (seed := connection.recv()) is not None:
            connection.send(ScheduleRun(rig, FaultSchedule.draw(seed, record_format)).execute())
    except EOFError:
        return  # the parent is gone
    finally:
        rig.close()


def _tell(line: str) -> None:
    os.write(2, f"{line}\n".encode())


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def outcomes(
    seeds: Sequence[int], workers: int, *, record_format: str | None = None, verbose: bool = False
) -> Iterator[Outcome]:
    """Run the schedules of these seeds on so many processes; yield each as it is done."""
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(seeds))
    connections: list[Connection] = []
    processes = []
    try:
        for _ in range(min(workers, len(seeds))):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, record_format, verbose))
            process.start()
            theirs.close()
            processes.append(process)
            connections.append(ours)
            ours.send(waiting.pop())
        while connections:
            ready = multiprocessing.connection.wait(connections)
            for connection in [one for one in connections if one in ready]:
                outcome: Outcome = connection.recv()
                if waiting:
                    connection.send(waiting.pop())
                else:
                    connection.send(None)
                    connections.remove(connection)
                yield outcome
    finally:
        for connection in connections:
            connection.close()
        for process in processes:
            process.join()


def run(
    seeds: Sequence[int],
    *,
    workers: int,
    verbose: bool,
    tell: Callable[[str], None],
    record_format: str | None = None,
) -> Totals:
    """Run schedules, say what each failing one did, and return the totals."""
    totals = Totals()
    began = time.monotonic()
    for outcome in outcomes(seeds, workers, record_format=record_format, verbose=verbose):
        totals.add(outcome)
        held = "held" if outcome.verdict.clean else "FAILED"
        faults = ", ".join(f"{name} {number}" for name, number in sorted(outcome.faults.items())) or "no fault"
        tell(f"schedule {outcome.seed}, {outcome.record_format}: {held} in {outcome.seconds:.1f} s ({faults})")
        if not outcome.verdict.clean:
            for note in outcome.verdict.notes:
                tell(f"    {note}")
            chosen = "" if record_format is None else f"--record-format {record_format} "
            tell(f"    again: pipenv run chaos --schedules 1 --seed {outcome.seed} {chosen}--verbose")
    totals.seconds = time.monotonic() - began
    return totals


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chaos",
        description="Runs fault schedules over the whole system on this machine, and reports whether anything was "
        "lost, doubled, out of order, miscounted or not told. Exit code 0 only when every promise held.",
        allow_abbrev=False,
    )
    parser.add_argument("--schedules", type=count, default=DEFAULT_SCHEDULES, metavar="N", help="how many (200)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the first one's seed; the others follow (1)")
    parser.add_argument(
        "--record-format", choices=FORMATS, help="that of every schedule (default: a third of them draws envelope)"
    )
    parser.add_argument("--workers", type=count, default=3, metavar="N", help="schedules at once (3)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--verbose", action="store_true", help="show the functions' logs")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as asked; return the exit code."""
    options = _parser().parse_args(arguments)
    shut_out(os.environ)
    seeds = range(options.seed, options.seed + options.schedules)
    totals = run(
        seeds,
        workers=options.workers,
        verbose=options.verbose,
        tell=say,
        record_format=options.record_format,
    )
    report = totals.as_json()
    say(json.dumps(report, indent=1))
    if options.report is not None:
        options.report.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if totals.failing_seeds else 0


if __name__ == "__main__":
    sys.exit(main())
