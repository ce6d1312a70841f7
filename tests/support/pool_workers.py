"""A worker of a pool of schedules in which some fail; it runs in processes of its own."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from local.faults.outcome import Crash, Outcome
from local.faults.verdict import Verdict

FOLDER = "POOL_WORKERS_FOLDER"
"""The variable that names a folder, in which each start of a schedule leaves a file."""

HOLDS, ENDS_ONCE, ENDS_ALWAYS, FAILS_ALWAYS = SEEDS = (1, 2, 3, 4)


def work(connection, _lifeline, _record_format, _verbose):
    """One seed's process ends at the first try, as where memory runs out; one's at each; one's harness fails."""
    begun = Path(os.environ[FOLDER])
    while (seed := connection.recv()) is not None:
        tries = len(list(begun.glob(f"{seed}-*")))
        (begun / f"{seed}-{tries}").touch()
        if seed == ENDS_ALWAYS or (seed == ENDS_ONCE and tries == 0):
            os._exit(9)
        connection.send(Crash("Traceback ...\nOSError: no port") if seed == FAILS_ALWAYS else holds(seed))


def holds(seed):
    """What a schedule comes to that holds."""
    return Outcome(seed, "single", Verdict(), Counter(), 0.1)
