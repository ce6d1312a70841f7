"""One execution environment of a Lambda function: AWS's runtime interface emulator with AWS's Python runtime in it."""

from __future__ import annotations

import contextlib
import http.client
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING

from local.runtime import outcome, processes
from local.runtime.invocation import InvocationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.runtime.reaper import Reaper

_PATH = "/2015-03-31/functions/function/invocations"
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_STARTS = 5
"""Tries at starting: the runtime API's port is chosen before it is bound, and somebody else may be faster."""
_START_SECONDS = 10.0
_LISTENERS = 2  # the emulator's own address, and the runtime API
_GRACE = 30.0
"""Seconds past the function's timeout after which the emulator itself is taken for stuck."""
_START_LINE = "START RequestId: "
_ONCE_TOLD = 'read -r _ && exec "$@" </dev/null'
"""A shell waits for a line before it becomes the emulator; if its parent is gone, none comes and nothing starts."""


class EmulatorError(Exception):
    """The emulator cannot be started, or ended in the middle of an invocation: no fault of the function's."""


def binary() -> Path:
    """Return the emulator that aws-sam-cli brings along.

    Raises
    ------
    EmulatorError
        It was not built for this machine, or aws-sam-cli is not installed.
    """
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if sys.platform != "linux" or architecture is None:
        raise EmulatorError(
            f"AWS's runtime interface emulator runs on Linux, x86_64 or arm64; this is {sys.platform} on "
            f"{platform.machine()}. Run this in a Linux container or virtual machine"
        )
    package = find_spec("samcli")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture}"
    if not path.is_file():
        raise EmulatorError(f"{path}: not there; expected in the package aws-sam-cli. Run `pipenv sync --dev`")
    return path


class Emulator:
    """Runs one function, one invocation at a time (two at once make the emulator panic).

    Parameters
    ----------
    handler
        As in the template: `consumer.handler.handler`.
    task_root
        The folder it is imported from.
    timeout
        The function's timeout in seconds.
    environment
        All of the runtime's environment, but for its own temporary folder, which lasts as long as it runs.
    log
        Gets each line the function writes, from a thread of the emulator's own.
    python
        The interpreter, and options for it.
    reaper
        Ends emulator and runtime should this process be killed.
    """

    def __init__(  # noqa: PLR0913 - what an execution environment is made of
        self,
        handler: str,
        task_root: Path,
        timeout: int,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        *,
        python: Sequence[str] = (sys.executable,),
        reaper: Reaper | None = None,
    ) -> None:
        self._command = [*python, "-m", "awslambdaric", handler]
        self._task_root = task_root
        self._timeout = timeout
        self._folder = Path(tempfile.gettempdir(), f"lambda-{uuid.uuid4()}")
        self._environment = {**environment, "TMPDIR": str(self._folder)}
        self._log = log
        self._guardian = reaper
        self._started: SimpleQueue[str] = SimpleQueue()
        self._said: deque[str] = deque(maxlen=30)
        self._readers: list[threading.Thread] = []
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self._stopped = False

    def start(self) -> None:
        """Start the emulator; the runtime itself starts with the first invocation, as a cold start does.

        Raises
        ------
        EmulatorError
            It does not come up.
        """
        for _ in range(_STARTS):
            if self._stopped:
                raise EmulatorError("the emulator is not started: the stack is coming down")
            if self._try_to_start():
                return
        raise EmulatorError(f"the runtime interface emulator does not start: {' | '.join(self._said)}")

    def _try_to_start(self) -> bool:
        api_port = _free_port()
        # A separate session: Ctrl-C in the terminal passes it by, and ending the session ends the runtime with it.
        process = subprocess.Popen(
            [
                "/bin/sh",
                "-c",
                _ONCE_TOLD,
                "emulator",
                str(binary()),
                "--runtime-interface-emulator-address=127.0.0.1:0",
                f"--runtime-api-address=127.0.0.1:{api_port}",
                *self._command,
            ],
            cwd=self._task_root,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._process = process
        if self._guardian is not None:
            self._guardian.watch(process.pid, self._folder)
        self._folder.mkdir(mode=0o700)
        assert process.stdin is not None
        # It is watched now, and may start: nothing is left that the reaper has not heard of, whenever this is killed.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write("\n")
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_log, args=(process.stdout,), name="function log", daemon=True),
            threading.Thread(target=self._read_emulator, args=(process.stderr,), name="emulator log", daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not self._stopped:
            ports = processes.listening_ports(process.pid)
            if len(ports) == _LISTENERS and api_port in ports:
                (self._port,) = ports - {api_port}
                return True
            time.sleep(0.005)
        self._end()
        return False

    @property
    def alive(self) -> bool:
        """Whether the emulator runs."""
        return self._process is not None and self._process.poll() is None

    def invoke(self, event: bytes) -> InvocationResult:
        """Invoke the function with an event, JSON; return when it is done, in error or not.

        Raises
        ------
        EmulatorError
            The emulator ended, or does not answer; it is of no more use.
        """
        with contextlib.suppress(Empty):
            while True:
                self._started.get_nowait()
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout + _GRACE)
        try:
            connection.request("POST", _PATH, event, {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            said = " | ".join(list(self._said)[-3:])
            raise EmulatorError(f"the emulator ended or is stuck: {error!r}; it said: {said}") from error
        finally:
            connection.close()
        seconds = time.monotonic() - began
        try:
            request_id = self._started.get(timeout=1)
        except Empty:  # its log is not what decides on an invocation
            request_id = str(uuid.uuid4())
        payload, function_error = outcome.read(status, body)
        return InvocationResult(request_id, payload, function_error, seconds, outcome.started(status, payload))

    def terminate_runtime(self) -> bool:
        """Send SIGTERM to the runtime if its function listens for it; return whether it was sent."""
        if self._process is None:
            return False
        listening = [pid for pid in processes.children(self._process.pid) if processes.catches_sigterm(pid)]
        for pid in listening:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return bool(listening)

    def runtime_processes(self) -> list[int]:
        """Return the runtime's processes; there is none before the first invocation, and after one that failed."""
        return [] if self._process is None else processes.children(self._process.pid)

    def stop(self) -> None:
        """End emulator and runtime, an invocation under way included, and return when nothing is left of them."""
        self._stopped = True
        self._end()

    def _end(self) -> None:
        if self._process is None:
            return
        processes.kill_session(self._process.pid)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._guardian is not None:
            self._guardian.forget(self._process.pid)
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def kill(self) -> None:
        """End emulator and runtime, leaving their pipes and threads as they are; safe from a signal handler."""
        self._stopped = True
        if self._process is not None and self._process.returncode is None:
            processes.kill_session(self._process.pid)
            shutil.rmtree(self._folder, ignore_errors=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    def _read_log(self, stream: IO[str]) -> None:
        for raw in stream:
            line = raw.rstrip("\n")
            if line.startswith(_START_LINE):
                self._started.put(line.removeprefix(_START_LINE).partition(" ")[0])
            self._log(line)

    def _read_emulator(self, stream: IO[str]) -> None:
        for line in stream:
            self._said.append(line.rstrip("\n"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
