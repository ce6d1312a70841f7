"""Workers of a pool of schedules that fail in one way or another; they run in processes of their own."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from local.faults.outcome import Crash, Outcome
from local.faults.verdict import Verdict

FOLDER = "POOL_WORKERS_FOLDER"
"""The variable that names a folder, in which each start of a schedule leaves a file."""


def _answer(connection, answer):
    while (seed := connection.recv()) is not None:
        begun = Path(os.environ[FOLDER])
        tries = len(list(begun.glob(f"{seed}-*")))
        (begun / f"{seed}-{tries}").touch()
        connection.send(answer(seed, tries))


def holds(seed):
    """What a schedule comes to that holds."""
    return Outcome(seed, "single", Verdict(), Counter(), 0.1)


def ends_once(connection, _lifeline, _record_format, _verbose):
    """The first try of seed 2 ends its process, as where memory runs out."""
    _answer(connection, lambda seed, tries: os._exit(9) if (seed, tries) == (2, 0) else holds(seed))


def ends_always(connection, _lifeline, _record_format, _verbose):
    """Seed 2 ends its process whenever it is tried."""
    _answer(connection, lambda seed, _tries: os._exit(9) if seed == 2 else holds(seed))


def fails_always(connection, _lifeline, _record_format, _verbose):
    """Seed 2 has the harness fail whenever it is tried."""
    _answer(connection, lambda seed, _tries: Crash("Traceback ...\nOSError: no port") if seed == 2 else holds(seed))
