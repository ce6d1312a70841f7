"""Code in a Python process of its own that may not take more memory than it is given."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PREAMBLE = """
import resource

def limit_memory(megabytes):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 1024 * 1024,) * 2)
"""


def run(code: str, *arguments: str, source: Path) -> str:
    """Run the code, which calls `limit_memory(megabytes)` once it has imported what it needs; return its output.

    Raises
    ------
    AssertionError
        It failed, a lack of memory among the reasons.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PREAMBLE + textwrap.dedent(code), *arguments],
        env={"PYTHONPATH": str(source), "MALLOC_ARENA_MAX": "2", "POWERTOOLS_METRICS_NAMESPACE": "tests"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
