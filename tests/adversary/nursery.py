"""Forks the processes under attack from one that has imported libraries and nothing of ours: that saves a second each.

`Nursery.start` is for whoever attacks. The process behind it runs `main` here: it has no thread, and each of its
children goes on as a new interpreter would, as the module that it was started for, with an environment of its own.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.adversary.parent import end_with_the_parent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]

_LIBRARIES = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.metrics",
    "backports.zstd",
    "boto3",
    "botocore.httpsession",
    "isal.isal_zlib",
    "msgspec",
    "pybase64",
)
"""What the functions and `ops` import sooner or later."""

_MESSAGE = 1 << 20
_MOST_FILES = 4
OWN_FILE = "{}"
"""In an argument: the number that the last of the files has in the new process."""


@dataclass(slots=True)
class Forked:
    """A process that was started; the nursery is its parent, and says how it ended."""

    pid: int
    _ended: int
    """Where its exit code will come from."""
    _code: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        """Return its exit code, -n where signal n ended it; None while it is there."""
        return self.wait(0.0)

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait until it has ended, or for so many seconds; return as `poll` does."""
        if self._code is None and select.select([self._ended], [], [], seconds)[0]:
            self._code = int(os.read(self._ended, 16) or b"-9")
            os.close(self._ended)
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self.send_signal(signal.SIGKILL)
        self.wait()


class Nursery:
    """The process to fork from; it ends with this one."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.adversary.nursery", str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def start(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], *files: int) -> Forked:
        """Start a module as `python -m` would; `files` are its input, its output for all, and perhaps one more."""
        reading, writing = os.pipe()
        wanted = {"module": module, "arguments": list(arguments), "environment": dict(environment)}
        socket.send_fds(self._socket, [json.dumps(wanted).encode()], [writing, *files])
        os.close(writing)
        answer = self._socket.recv(_MESSAGE)
        if not answer:
            raise RuntimeError(f"the process to fork from has ended: {self._process.wait()}")
        return Forked(int(answer), reading)


@cache
def nursery() -> Nursery:
    """Return the one of this process."""
    return Nursery()


# ------------------------------------------------------------------------------------------------ in the nursery


def serve(parent: socket.socket) -> dict[str, object] | None:
    """Fork for each message; return what is to be run in a child, and None in the nursery when the parent has gone."""
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ended: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([parent.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(ended)
        if parent.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(parent, _MESSAGE, _MOST_FILES)
        if not message:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in (woken, waking, files[0], *ended.values()):
                os.close(number)
            parent.close()
            return {**json.loads(message), "files": files[1:]}
        ended[pid] = files[0]
        for number in files[1:]:
            os.close(number)
        parent.send(str(pid).encode())


def _reap(ended: dict[int, int]) -> None:
    while ended:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        os.write(ended[pid], str(os.waitstatus_to_exitcode(status)).encode())
        os.close(ended.pop(pid))


def main() -> None:
    """Serve the parent; in each child, be the module that it is started for."""
    end_with_the_parent()
    for name in _LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    job = serve(socket.socket(fileno=int(sys.argv[1])))
    if job is None:
        return
    files: list[int] = job["files"]  # type: ignore[assignment]
    for number, standard in ((files[0], 0), (files[1], 1), (files[1], 2)):
        os.dup2(number, standard)
    for number in files[:2]:
        os.close(number)
    os.environ.clear()
    os.environ.update(job["environment"])  # type: ignore[call-overload]
    time.tzset()
    arguments = [each.replace(OWN_FILE, str(files[-1])) for each in job["arguments"]]  # type: ignore[attr-defined]
    sys.argv = [str(job["module"]), *arguments]
    runpy.run_module(str(job["module"]), run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
