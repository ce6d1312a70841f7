"""Process faults: a function killed, frozen past its lease, or timed out, and two consumers at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from local.faults.timed.timeline import Timeline
from local.runtime.emulator import EmulatorError
from local.runtime.invocation import ThrottledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from local.runtime.function import Function
    from local.runtime.invocation import InvocationResult

_BUSY_SECONDS = 1.5
_LOOK_SECONDS = 0.01


class ProcessKind(StrEnum):
    """What happens to the process of an invocation that is under way."""

    KILLED = "killed"
    """SIGKILL."""
    PAUSED = "paused"
    """SIGSTOP, and SIGCONT after a while: a sandbox that was frozen."""
    TIMED_OUT = "timed_out"
    """SIGSTOP, until the function's timeout ends it."""
    TWO_AT_ONCE = "two_at_once"
    """A second invocation begins beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFault:
    """One fault of a function (by its logical id), `at` seconds after the beginning; `seconds` is for `PAUSED`."""

    kind: ProcessKind
    function: str
    at: float
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What it is counted under."""
        return f"{self.kind.value}_{self.function}"


class ProcessFaults(Timeline[ProcessFault]):
    """Carries a list of faults out on its own thread; stopped, what is paused goes on.

    Parameters
    ----------
    functions
        By logical id.
    finished
        Called with the result of each second invocation, from its thread.
    """

    def __init__(
        self,
        faults: Iterable[ProcessFault],
        functions: Mapping[str, Function],
        finished: Callable[[InvocationResult], None],
    ) -> None:
        super().__init__(faults, "process-faults")
        self._functions = functions
        self._finished = finished
        self._others: list[threading.Thread] = []

    def join_invocations(self) -> None:
        """Wait until the second invocations are done; call it after `join` or `stop`."""
        for other in self._others:
            other.join()

    def _happen(self, fault: ProcessFault) -> None:
        if fault.kind is ProcessKind.TWO_AT_ONCE:
            other = threading.Thread(target=self._invoke, args=(fault,), name="second invocation", daemon=True)
            self._others.append(other)
            other.start()
        elif (pid := self._busy_process(fault.function)) is not None:
            self._apply(fault, pid)

    def _invoke(self, fault: ProcessFault) -> None:
        """Invoke beside what is under way; counted unless the function's concurrency did not allow it."""
        result = None
        try:
            result = self._functions[fault.function].invoke(b"{}")
        except ThrottledError:
            return
        except EmulatorError:
            pass  # it had begun; its execution environment is gone
        self.injected[fault.name] += 1
        if result is not None:
            self._finished(result)

    def _busy_process(self, function: str) -> int | None:
        """Return the process of an invocation under way, waiting a little for one."""
        ends_at = time.monotonic() + _BUSY_SECONDS
        while time.monotonic() < ends_at:
            if found := self._functions[function].busy_processes():
                return found[0]
            if self._stopping.wait(_LOOK_SECONDS):
                break
        return None

    def _apply(self, fault: ProcessFault, pid: int) -> None:
        first = signal.SIGKILL if fault.kind is ProcessKind.KILLED else signal.SIGSTOP
        try:
            os.kill(pid, first)
        except ProcessLookupError:
            return  # it ended by itself in this moment
        self.injected[fault.name] += 1
        if fault.kind is ProcessKind.PAUSED:
            self._stopping.wait(fault.seconds)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
