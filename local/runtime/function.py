"""The stack's functions: a pool of execution environments for each, up to the function's concurrency."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from local.aws.moto import REGION, credentials
from local.runtime.emulator import Emulator
from local.runtime.function_log import FunctionLog
from local.runtime.invocation import InvocationResult, ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.runtime.reaper import Reaper
    from local.stack import FunctionSettings

MOST_ENVIRONMENTS = 16
"""Execution environments of a function without reserved concurrency: each is two processes."""

_NOT_IN_LAMBDA = Path(__file__).with_name("not_in_lambda")
"""botocore imports some packages for development where they are: they change what it does, and take it 70 ms."""


def runtime_environment(settings: FunctionSettings, task_root: Path, endpoint: str, path: str) -> dict[str, str]:
    """Return all of a runtime's environment: Lambda's own variables, the stack's, and where AWS is found.

    Nothing of this process's environment is handed on: no proxy, no profile, no credentials.
    """
    return {
        "PATH": path,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join([str(_NOT_IN_LAMBDA), str(task_root)]),
        "LAMBDA_TASK_ROOT": str(task_root),
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(settings.timeout),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        **credentials(settings.logical_id),
        **settings.environment,
    }


class Function:
    """One function. Environments are started when they are needed, kept warm, and replaced when they break."""

    def __init__(  # noqa: PLR0913 -- what its environments are made of
        self,
        settings: FunctionSettings,
        task_root: Path,
        endpoint: str,
        path: str,
        echo: Callable[[str], None] | None = None,
        *,
        reaper: Reaper | None = None,
    ) -> None:
        self.settings = settings
        self.log = FunctionLog(settings.logical_id, echo)
        self._guardian = reaper
        self._endpoint, self._path = endpoint, path
        self._take_code(task_root)
        reserved = settings.reserved_concurrency
        self._limit = MOST_ENVIRONMENTS if reserved is None else reserved
        self._lock = threading.Lock()
        self._idle: list[Emulator] = []
        self._outdated: set[Emulator] = set()
        self._busy: dict[Emulator, float] = {}
        self._asked: set[Emulator] = set()
        """Those at work whose invocation has been asked to stop."""
        self._stopped = False
        self._counts: Counter[str] = Counter()
        self._cannot_start: str | None = None

    def invoke(self, event: bytes) -> InvocationResult:
        """Invoke the function with an event, JSON; return when it is done, in error or not.

        Raises
        ------
        ThrottledError
            As many invocations as its concurrency allows are under way, or the stack is coming down.
        EmulatorError
            The execution environment broke; the next invocation gets another.
        """
        emulator = self._take()
        try:
            if not emulator.alive:
                emulator.start()
            result = emulator.invoke(event)
        finally:
            self._give_back(emulator)
        with self._lock:
            self._counts["invocations"] += 1
            self._counts["errors"] += result.function_error is not None
            self._counts["started"] += result.started
            if not self._counts["started"] and self._cannot_start is None:
                self._cannot_start = f"{result.payload['errorType']}: {result.payload['errorMessage']}"
        return result

    @property
    def invocations(self) -> int:
        """How many invocations are finished, in error or not."""
        with self._lock:
            return self._counts["invocations"]

    @property
    def errors(self) -> int:
        """How many invocations ended in error."""
        with self._lock:
            return self._counts["errors"]

    @property
    def cannot_start(self) -> str | None:
        """Why the runtime did not come up at the first try; None if it did, or was not tried yet."""
        with self._lock:
            return self._cannot_start

    @property
    def under_way(self) -> int:
        """How many invocations are under way."""
        with self._lock:
            return len(self._busy)

    @property
    def running_for(self) -> float | None:
        """Seconds since the oldest invocation under way began; None while there is none."""
        with self._lock:
            return None if not self._busy else time.monotonic() - min(self._busy.values())

    def busy_processes(self) -> list[int]:
        """Return the runtimes' processes that have an invocation under way, the oldest invocation's first."""
        with self._lock:
            busy = sorted(self._busy, key=lambda emulator: self._busy[emulator])
        return [pid for emulator in busy for pid in emulator.runtime_processes()]

    def terminate(self) -> bool:
        """Send SIGTERM to each runtime that is at work and listens for it, once; return whether it was sent to any."""
        with self._lock:
            asked = {emulator for emulator in self._busy.keys() - self._asked if emulator.terminate_runtime()}
            self._asked |= asked
        return bool(asked)

    def deploy(self, task_root: Path, *, timeout: int | None = None) -> None:
        """Take other code, or another timeout in seconds, as at a deployment.

        An invocation under way ends with what it began with.
        """
        with self._lock:
            idle, self._idle = self._idle, []
            if timeout is not None:
                self.settings = replace(self.settings, timeout=timeout)
            self._outdated.update(self._busy)
            self._take_code(task_root)
        for emulator in idle:
            emulator.stop()

    def stop(self) -> None:
        """End all environments; an invocation under way ends with an EmulatorError, the next is throttled."""
        with self._lock:
            self._stopped = True
            emulators = [*self._idle, *self._busy]
            self._idle.clear()
        for emulator in emulators:
            emulator.stop()

    def kill(self) -> None:
        """End all environments without waiting; takes no lock, so that a signal handler may call it."""
        self._stopped = True
        for emulator in [*tuple(self._idle), *tuple(self._busy)]:
            emulator.kill()

    def _take(self) -> Emulator:
        with self._lock:
            if self._stopped or len(self._busy) >= self._limit:
                raise ThrottledError(
                    f"{self.settings.name}: {len(self._busy)} of {self._limit} concurrent invocations are under way"
                )
            emulator = self._idle.pop() if self._idle else self._new_environment()
            self._busy[emulator] = time.monotonic()
            return emulator

    def _give_back(self, emulator: Emulator) -> None:
        with self._lock:
            self._busy.pop(emulator, None)
            reusable = emulator.alive and not self._stopped and emulator not in self._outdated
            self._outdated.discard(emulator)
            self._asked.discard(emulator)
            if reusable:
                self._idle.append(emulator)
        if not reusable:
            emulator.stop()

    def _take_code(self, task_root: Path) -> None:
        self._task_root = task_root
        self._environment = runtime_environment(self.settings, task_root, self._endpoint, self._path)

    def _new_environment(self) -> Emulator:
        return Emulator(
            self.settings.handler,
            self._task_root,
            self.settings.timeout,
            self._environment,
            self.log.write,
            reaper=self._guardian,
        )
