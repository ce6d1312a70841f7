"""`pipenv run python -m benchmarks.instructions`: count the hot loops' instructions; compare or record them."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.harness.processes import BenchmarkError
from benchmarks.instructions import counting, loops, record
from local.shell_settings import shut_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Count; return the exit code: 1 if a loop has grown too much, or nothing can be said."""
    parser = argparse.ArgumentParser(prog="instructions", description=__doc__, allow_abbrev=False)
    parser.add_argument("--record", action="store_true", help=f"write the counts into {record.FILE.name}")
    options = parser.parse_args(arguments)
    shut_out(os.environ)
    console = Console()
    try:
        counts = _count(console)
    except BenchmarkError as error:
        console.print(f"instructions: {error}", style="red", markup=False)
        return 1
    if options.record:
        record.save(record.Recorded(record.Build.running(), counts))
    recorded = record.load()
    console.print(_table(counts, recorded))
    complaints = [text for name, count in counts.items() if (text := record.complaint(recorded, name, count))]
    if (reason := record.incomparable(recorded)) is not None:
        complaints = [reason]
    for text in complaints:
        console.print(text, style="red", markup=False)
    return int(bool(complaints))


def _count(console: Console) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="instructions-") as temporary, console.status("") as status:
        folder = Path(temporary)
        status.update("making the workloads")
        with counting.workloads(folder) as url:
            counts = {}
            for name in loops.names():
                status.update(f"{name}, under valgrind")
                counts[name] = counting.count(name, folder, url)
    return counts


def _table(counts: Mapping[str, float], recorded: record.Recorded) -> Table:
    table = Table(title="Instructions an update")
    for head in ("loop", "counted", "recorded", "growth"):
        table.add_column(head, justify="right")
    for name, count in counts.items():
        known = recorded.loops.get(name)
        growth = "" if known is None else f"{record.growth(recorded, name, count):+.1%}"
        table.add_row(name, f"{count:,.0f}", "" if known is None else f"{known:,.0f}", growth)
    return table


if __name__ == "__main__":
    sys.exit(main())
