"""Runs fault schedules and reports whether the promises held: `pipenv run chaos`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.audit.envelope import ENVELOPE, FORMATS
from local.command import run_command
from local.faults.pool import Pool
from local.machine import MachineError, check
from local.output_file import NOT_WRITTEN, OutputError, OutputFile
from local.shell_settings import shut_out
from local.signals import ending_in_order
from local.simulator.options import count
from local.standard_output import surviving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.faults.outcome import Outcome

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
    "snapshots_wrong",
    "snapshots_went_back",
    "secrets_shown",
    "archived",
    "archive_missing",
    "archive_doubled",
    "unfinished",
    "misplaced",
)
_CANNOT_START = 2


@dataclass(slots=True)
class Totals:
    """The result of all schedules together; `lengthened` as in `Outcome`."""

    schedules: int = 0
    envelope_schedules: int = 0
    lengthened: int = 0
    seconds: float = 0.0
    figures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failing_seeds: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Add one schedule's."""
        self.schedules += 1
        self.envelope_schedules += outcome.record_format == ENVELOPE
        self.lengthened += outcome.lengthened
        self.figures.update({name: getattr(outcome.verdict, name) for name in _COUNTED})
        self.faults += outcome.faults
        if not outcome.verdict.clean:
            self.failing_seeds.append(outcome.seed)

    def as_json(self) -> dict[str, Any]:
        """Return what `--report` writes."""
        return {
            "schedules": self.schedules,
            "envelope_schedules": self.envelope_schedules,
            "lengthened": self.lengthened,
            **{name: self.figures[name] for name in _COUNTED},
            "faults": dict(sorted(self.faults.items())),
            "failing_seeds": sorted(self.failing_seeds),
            "seconds": round(self.seconds, 1),
        }


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(
    seeds: Sequence[int],
    *,
    workers: int,
    verbose: bool,
    tell: Callable[[str], None],
    record_format: str | None = None,
) -> Totals:
    """Run schedules, say what each failing one did and how many are left, and return the totals."""
    totals = Totals()
    began = time.monotonic()
    tell(f"{len(seeds)} schedules, {min(workers, len(seeds))} at a time; each takes 5 to 40 s ...")
    pool = Pool(workers, tell, record_format=record_format, verbose=verbose)
    for outcome in pool.outcomes(seeds):
        totals.add(outcome)
        held = "held" if outcome.verdict.clean else "FAILED"
        faults = ", ".join(f"{name} {number}" for name, number in sorted(outcome.faults.items())) or "no fault"
        left = _left(totals.schedules, len(seeds), time.monotonic() - began)
        tell(f"schedule {outcome.seed}, {outcome.record_format}: {held} in {outcome.seconds:.1f} s ({faults}); {left}")
        if outcome.lengthened:
            tell("    the consumer got nowhere in the time its runs had, on this machine: they have longer from now on")
        if not outcome.verdict.clean:
            for note in outcome.verdict.notes:
                tell(f"    {note}")
            chosen = "" if record_format is None else f"--record-format {record_format} "
            tell(f"    again: pipenv run chaos --schedules 1 --seed {outcome.seed} {chosen}--verbose")
    totals.seconds = time.monotonic() - began
    return totals


def _left(done: int, of: int, seconds: float) -> str:
    minutes = seconds / done * (of - done) / 60
    return f"{done} of {of}" + (f", {max(1, round(minutes))} min left" if done < of else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chaos",
        description="Runs fault schedules over the whole system on this machine, and reports whether anything was "
        "lost, doubled, out of order, miscounted or not alerted on. Exit code 0 only when every promise held; 1 when "
        "one did not, or a schedule did not come to its end; 2 for a wrong option; 3 for a result that is not written.",
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
    with surviving() as output, ending_in_order():
        code = _run(options)
        output.flush()
        if output.lost is not None:
            _complain(f"standard output: {output.lost.strerror}; the result could not be shown")
            code = code or NOT_WRITTEN
    return code


def _run(options: argparse.Namespace) -> int:
    seeds = range(options.seed, options.seed + options.schedules)
    done = False
    try:
        check()
        with nullcontext() if options.report is None else OutputFile(options.report) as file:
            totals = run(
                seeds,
                workers=options.workers,
                verbose=options.verbose,
                tell=say,
                record_format=options.record_format,
            )
            done = True
            report = totals.as_json()
            say(json.dumps(report, indent=1))
            if file is not None:
                file.write(report)
    except MachineError as error:
        _complain(str(error))
        return _CANNOT_START
    except OutputError as error:
        _complain(f"--report: {error}")
        return NOT_WRITTEN if done else _CANNOT_START
    return 1 if totals.failing_seeds else 0


def _complain(text: str) -> None:
    sys.stderr.write(f"chaos: error: {text}\n")


if __name__ == "__main__":
    run_command("chaos", main)
