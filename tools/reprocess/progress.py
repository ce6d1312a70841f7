"""The progress line: rewritten on a terminal, written once at the end elsewhere."""

from __future__ import annotations

import sys


def show(text: str, *, last: bool) -> None:
    """Show how far it is; `last` when that does not change any more."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}\x1b[K" + "\n" * last)
    elif last:
        sys.stderr.write(text + "\n")
    sys.stderr.flush()
