"""A process that runs fault schedules, one after the other, on a rig that it keeps."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import traceback
from typing import TYPE_CHECKING

from local.faults.outcome import Crash, Outcome
from local.faults.rig import Rig
from local.faults.schedule import FaultSchedule
from local.faults.schedule_run import ScheduleRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

_FIRST_PORT, _LAST_PORT = 20_000, 30_000
"""Below the ports that Linux gives to outgoing connections: a simulator that restarts finds its port free."""


def free_port() -> int:
    """Return a port that nobody listens on and no outgoing connection is given."""
    for _ in range(100):
        port = random.randrange(_FIRST_PORT, _LAST_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port was found for the simulator")


def work(
    connection: Connection,
    lifeline: Connection,
    record_format: str | None,
    verbose: bool,  # noqa: FBT001
) -> None:
    """Run the schedules whose seeds come in, until there is none; a worker's process.

    It ends at once, and all it started with it, when the other end of `lifeline` is closed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to end
    rigs: list[Rig] = []
    threading.Thread(target=_end_with, args=(lifeline, rigs), name="lifeline", daemon=True).start()
    try:
        while (seed := connection.recv()) is not None:
            connection.send(_run(rigs, FaultSchedule.draw(seed, record_format), _tell if verbose else None))
    except EOFError:
        return  # the parent is gone
    finally:
        for rig in rigs:
            rig.close()


def _run(rigs: list[Rig], schedule: FaultSchedule, log: Callable[[str], None] | None) -> Outcome | Crash:
    """Run a schedule on the rig there is, or on a new one; after a crash there is none."""
    try:
        if not rigs:
            rigs.append(Rig(free_port(), log))
        return ScheduleRun(rigs[0], schedule).execute()
    except Exception:  # noqa: BLE001 -- whatever it is, the other schedules are worth running
        text = traceback.format_exc()
        while rigs:
            with contextlib.suppress(Exception):
                rigs.pop().close()
        return Crash(text)


def _end_with(lifeline: Connection, rigs: list[Rig]) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    for rig in tuple(rigs):
        rig.kill()
    os._exit(1)


def _tell(line: str) -> None:
    os.write(2, f"{line}\n".encode())
