"""The process that is counted: `python -m benchmarks.instructions.loop NAME FOLDER URL`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.instructions import beginning, loops


def main() -> None:
    """Go through the loop's workload twice, of which the second time counts; fail if it left anything out."""
    name, folder, url = sys.argv[1:]
    go_through = loops.load(name)(Path(folder), url)
    _check(name, go_through())  # whatever is imported, compiled or kept at the first use is by now
    beginning.begin()
    handled = go_through()
    if handled == loops.UPDATES:
        os._exit(0)  # taking the interpreter down would be counted
    _check(name, handled)


def _check(name: str, handled: int) -> None:
    if handled != loops.UPDATES:
        sys.exit(f"{name}: handled {handled} updates in a pass; expected {loops.UPDATES}")


if __name__ == "__main__":
    main()
