"""The worker processes that run fault schedules in parallel, and the outcome of a schedule whose process dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.audit.envelope import SINGLE
from local.faults.outcome import Crash, Outcome
from local.faults.schedule import FaultSchedule
from local.faults.verdict import Verdict
from local.faults.worker import work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_TRIES = 2
"""How often a schedule is begun whose process did not get to its end: once more tells an accident from a fault."""


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, and what it is at."""

    process: SpawnProcess
    connection: Connection
    lifeline: Connection
    seed: int | None = None

    def begin(self, seed: int) -> None:
        """Hand it a seed; one that has ended is found out by its answer."""
        self.seed = seed
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(seed)

    def answer(self) -> Outcome | Crash:
        """Return its outcome."""
        try:
            answer: Outcome | Crash = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return Crash(f"the worker's process ended with {self.process.exitcode}")
        return answer

    def dismiss(self) -> None:
        """Let it end by itself."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(None)

    def end(self) -> None:
        """See it gone."""
        self.connection.close()
        self.process.join()
        self.lifeline.close()

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.lifeline.close()
        self.connection.close()
        self.process.join()


@dataclass(slots=True)
class Pool:
    """So many processes, each with its own rig; `tell` prints a line for a person."""

    workers: int
    tell: Callable[[str], None]
    record_format: str | None = None
    verbose: bool = False
    target: Callable[[Connection, Connection, str | None, bool], None] = work
    _at_work: list[_Worker] = field(default_factory=list)

    def outcomes(self, seeds: Sequence[int]) -> Iterator[Outcome]:
        """Run the schedules of these seeds; yield each as it is done."""
        waiting = deque(seeds)
        tries: Counter[int] = Counter()
        try:
            while waiting or self._at_work:
                while waiting and len(self._at_work) < self.workers:
                    self._at_work.append(self._hire())
                    self._at_work[-1].begin(waiting.popleft())
                ready = multiprocessing.connection.wait([one.connection for one in self._at_work])
                for worker in [one for one in self._at_work if one.connection in ready]:
                    answer, seed = worker.answer(), worker.seed
                    assert seed is not None
                    if isinstance(answer, Crash):
                        tries[seed] += 1
                        if tries[seed] < _TRIES:
                            self.tell(f"schedule {seed}: the harness failed, and tries again: {_last_line(answer)}")
                            waiting.appendleft(seed)
                        else:
                            yield _unfinished(seed, self.record_format, answer)
                    else:
                        yield answer
                    self._go_on(worker, waiting)
        finally:
            for worker in self._at_work:
                worker.kill()
            self._at_work.clear()

    def _go_on(self, worker: _Worker, waiting: deque[int]) -> None:
        if not worker.process.is_alive():
            self._at_work.remove(worker)
            worker.end()
        elif waiting:
            worker.begin(waiting.popleft())
        else:
            self._at_work.remove(worker)
            worker.dismiss()
            worker.end()

    def _hire(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        held, watched = context.Pipe()
        process = context.Process(target=self.target, args=(theirs, watched, self.record_format, self.verbose))
        process.start()
        theirs.close()
        watched.close()
        return _Worker(process, ours, held)


def _last_line(crash: Crash) -> str:
    return crash.text.strip().rpartition("\n")[2]


def _unfinished(seed: int, record_format: str | None, crash: Crash) -> Outcome:
    """Return the outcome of a schedule that could not be brought to its end: no promise was seen to hold."""
    notes = [f"the harness failed {_TRIES} times:", *crash.text.strip().splitlines()]
    drawn = FaultSchedule.draw(seed, record_format).record_format
    return Outcome(seed, drawn or SINGLE, Verdict(unfinished=1, notes=notes), Counter(), 0.0)
