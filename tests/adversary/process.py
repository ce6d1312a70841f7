"""Starts the child, watches its memory and its deadline from outside, and ends it as Lambda would."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary.nursery import OWN_FILE, nursery

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._answers, answers = os.pipe()
        events, writing = os.pipe()
        self._events = os.fdopen(writing, "wb")
        self._megabytes = megabytes
        with log.open("ab") as output:
            self._process = nursery().start(
                "tests.adversary.child",
                [OWN_FILE, handler, str(megabytes)],
                {"PATH": os.environ["PATH"], **environment},
                events,
                output.fileno(),
                answers,
            )
        os.close(answers)
        os.close(events)
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
        began = time.monotonic()
        self._events.write(json.dumps({"event": event, "seconds": seconds}).encode() + b"\n")
        self._events.flush()
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
        self._process.send_signal(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it, as Lambda does between two invocations."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, and free what it held."""
        self._process.kill()

    def close(self) -> None:
        """End it, and close the files."""
        self.kill()
        with suppress(BrokenPipeError):
            self._events.close()
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
