"""A fresh process for one side: `python -m benchmarks.harness.side MODULE:FUNCTION`, parameters on standard input."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys

from benchmarks.harness import machine
from local.threads import ThreadWatch


def main() -> None:
    """Run the function on its core, and write what it measured as the last line."""
    module, _, name = sys.argv[1].partition(":")
    params = json.load(sys.stdin)
    os.sched_setaffinity(0, machine.cores()[1])
    function = getattr(importlib.import_module(module), name)
    with ThreadWatch(lambda text: print(text, file=sys.stderr)) as threads:  # noqa: T201 - for the process that started it
        measured = dataclasses.asdict(function(params))
    if threads.failed.is_set():
        sys.exit(1)
    sys.stdout.write("\n=result " + json.dumps(measured))  # functions write metrics there too


if __name__ == "__main__":
    main()
