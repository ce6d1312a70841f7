"""Asks a person before a command changes what a running stack does."""

from __future__ import annotations

import sys

from ops.errors import OpsError


def ask(question: str, option: str) -> None:
    """Have a person say yes to a question; `option` is what made the command ask.

    Raises
    ------
    OpsError
        They did not, or nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise OpsError(f"{option} asks before it acts, and standard input is not a terminal. Give --yes as well")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise OpsError("not confirmed; nothing was changed")
