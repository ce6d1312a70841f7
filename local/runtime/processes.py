"""Reads /proc: children, sessions, listening ports, caught signals of processes; and ends a session.

The runtime interface emulator is a Linux program, so /proc is there wherever it runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_PROC = Path("/proc")
_LISTEN = "0A"  # proc(5), /proc/net/tcp: the state of a listening socket
_ZOMBIE = "Z"
_STEP = 0.01  # seconds between two looks


class _Status(NamedTuple):
    state: str
    parent: int
    session: int


def _status(pid: int) -> _Status | None:
    try:
        # proc(5), /proc/pid/stat: the second field is the command in brackets, and may hold any byte, brackets too.
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return _Status(fields[0].decode(), int(fields[1]), int(fields[3]))


def _all() -> list[tuple[int, _Status]]:
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]
    return [(pid, status) for pid in pids if (status := _status(pid)) is not None and status.state != _ZOMBIE]


def children(pid: int) -> list[int]:
    """Return the live processes whose parent is `pid`."""
    return [child for child, status in _all() if status.parent == pid]


def descendants(pid: int) -> set[int]:
    """Return the live processes that descend from `pid`, in whatever session."""
    parents = {child: status.parent for child, status in _all()}
    found, added = set[int](), {pid}
    while added := {child for child, parent in parents.items() if parent in added} - found:
        found |= added
    return found


def alive(pid: int) -> bool:
    """Return whether a process is there and has not ended."""
    status = _status(pid)
    return status is not None and status.state != _ZOMBIE


def session(leader: int) -> list[int]:
    """Return the live processes of the session that `leader` began."""
    return [pid for pid, status in _all() if status.session == leader]


def command_line(pid: int) -> list[bytes]:
    """Return what a process was started with, word by word; nothing if it has ended."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def listening_ports(pid: int) -> set[int]:
    """Return the IPv4 TCP ports on which a process listens."""
    sockets = set()
    with contextlib.suppress(OSError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    sockets.add(target[len("socket:[") : -1])
    ports = set()
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "net" / "tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def catches_sigterm(pid: int) -> bool:
    """Return whether a process has a handler for SIGTERM; without one the signal would end it."""
    try:
        lines = (_PROC / str(pid) / "status").read_bytes().splitlines()
    except OSError:
        return False
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith(b"SigCgt:")), 0)
    return bool(caught & 1 << (signal.SIGTERM - 1))


def kill_session(leader: int, timeout: float = 2.0) -> None:
    """End a session by force: its other processes first, so that the leader, their parent, can reap them.

    The emulator gives its runtime its own process group: only the session holds both.
    """
    _kill_all(lambda: [pid for pid in session(leader) if pid != leader], timeout)
    _kill(leader)
    # Nobody is left who starts any; one look may miss a process whose number is low, when numbers wrap around.
    _kill_all(lambda: session(leader), timeout)


def _kill_all(found: Callable[[], list[int]], timeout: float) -> None:
    """Kill what is found until there is nothing more, for `timeout` seconds at most."""
    deadline = time.monotonic() + timeout
    while (pids := found()) and time.monotonic() < deadline:
        for pid in pids:
            _kill(pid)
        time.sleep(_STEP)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
