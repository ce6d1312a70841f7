"""Output of the commands: text for people on standard output, errors on standard error, JSON for machines."""

from __future__ import annotations

import json
import sys
from typing import Any

from common.printable import printable

_LONGEST = 100_000
"""Characters of one line on a terminal; what is longer is not read by anybody."""


def say(text: str = "") -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value as JSON, with escapes for all that is not ASCII: no terminal acts on it."""
    sys.stdout.write(json.dumps(value, indent=indent) + "\n")


def say_line(line: bytes) -> None:
    """Print a line that others wrote, as it is; without what a terminal would act on where there is one."""
    text = line.rstrip(b"\r\n").decode(errors="replace")
    say(printable(text, _LONGEST) if sys.stdout.isatty() else text)


def complain(text: str) -> None:
    """Print a text for people beside the output; what an answer of AWS's put into it, no terminal acts on."""
    sys.stderr.write(f"ops: {'\n'.join(printable(line, _LONGEST) for line in text.splitlines())}\n")
