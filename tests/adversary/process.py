"""Starts the child, watches its memory and its deadline from outside, and ends it as Lambda would."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]

GRACE = 4.0
"""Seconds beyond its deadline after which a run is ended: long enough to see that it would have gone on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one invocation, seen from outside. `late` is in seconds, negative when it ended in time."""

    result: Any = None
    error: dict[str, str] | None = None
    late: float = 0.0
    took: float = 0.0
    peak: float = 0.0
    starved: float = 0.0
    """Seconds for which its threads were ready to run, and the machine had no processor for them."""
    starved_at_the_end: float = 0.0
    """The same, from two seconds before its deadline on."""
    ended: str = "returned"
    """`returned`, `killed` (on purpose), `overdue` (ended past its deadline), `memory` (past its bound) or `died`."""


class Child:
    """One execution environment: a process that serves invocations until it is killed."""

    def __init__(self, handler: str, environment: dict[str, str], log: Path, megabytes: int) -> None:
        reading, writing = os.pipe()
        self._megabytes = megabytes
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.adversary.child", str(writing), handler, str(megabytes)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **environment},
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[writing],
        )
        os.close(writing)
        self._answers = reading
        self._pending = b""
        ready = self._answer(time.monotonic() + 60, lambda: None)
        if ready != {"ready": True}:
            raise RuntimeError(f"{handler} does not start: see {log}")

    @property
    def alive(self) -> bool:
        """Whether it can serve one more invocation."""
        return self._process.poll() is None

    def invoke(self, event: Any, seconds: float, watch: Callable[[Child, float], None] = lambda *_: None) -> Outcome:
        """Invoke once; `watch` is called every few milliseconds with this child and the seconds since the beginning."""
        assert self._process.stdin is not None
        began = time.monotonic()
        self._process.stdin.write(json.dumps({"event": event, "seconds": seconds}).encode() + b"\n")
        self._process.stdin.flush()
        first = near_the_end = latest = self._starved()

        def look() -> None:
            nonlocal near_the_end, latest
            passed = time.monotonic() - began
            latest = max(latest, self._starved())
            if passed < seconds - 2:
                near_the_end = latest
            watch(self, passed)

        answer = self._answer(began + seconds + GRACE, look)
        took = time.monotonic() - began
        starved = {"starved": latest - first, "starved_at_the_end": latest - near_the_end}
        if isinstance(answer, str):
            self.kill()
            return Outcome(late=took - seconds, took=took, ended=answer, **starved)
        took = answer["took"]
        return Outcome(answer["result"], answer["error"], took - seconds, took, answer["peak"], **starved)

    def terminate(self) -> None:
        """Send SIGTERM, as Lambda does before the environment goes."""
        if self.alive:
            self._process.send_signal(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it, as Lambda does between two invocations."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, and free what it held."""
        if self.alive:
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, and close the files."""
        self.kill()
        for opened in (self._process.stdin, self._log):
            if opened is not None:
                opened.close()
        os.close(self._answers)

    def _answer(self, end: float, watch: Callable[[], None]) -> Any:
        """Return the next answer, or a word for why there is none."""
        while b"\n" not in self._pending:
            if time.monotonic() > end:
                return "overdue"
            if self.alive and self._memory() > self._megabytes:
                return "memory"
            watch()
            if select.select([self._answers], [], [], 0.02)[0]:
                received = os.read(self._answers, 1 << 20)
                if not received:
                    return "killed" if self._process.wait() == -signal.SIGKILL else "died"
                self._pending += received
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)

    def _starved(self) -> float:
        """Return the seconds that its threads have spent waiting for a processor (Linux's schedstat)."""
        waited = 0
        for stat in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            with suppress(OSError, IndexError):
                waited += int(stat.read_text(encoding="ascii").split()[1])
        return waited / 1e9

    def _memory(self) -> float:
        try:
            resident = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
        except (FileNotFoundError, IndexError, ProcessLookupError):
            return 0.0
        return resident * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
