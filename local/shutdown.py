"""Shuts a run down in order, so that nothing is in flight when the ledger counts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from local.clock import StallTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.clock import Clock
    from local.event_source_mapping import EventSourceMapping
    from local.runtime.function import Function
    from local.runtime.schedule import Schedule

    type Step = Callable[[], str]

STALL_SECONDS = 30.0
"""Seconds without progress after which the end is no longer waited for."""
FAILED_RUNS = 3
"""Runs of the consumer that fail without any progress, after which another one is not waited for either: enough to tell
a wrong setting from an accident. Where accidents are made, there are more of them."""
DRAIN_SECONDS = 180.0
COMMITTING, CLOSING = "waiting for the checkpoint", "closing the last windows"
"""What the first step is called, which may be taken again when it has failed, and the last."""
_STEP = 0.05
_NEVER = threading.Event()


class Shutdown:
    """The steps of an end, in order, each with what it is called; a step returns what went wrong, or nothing.

    The source sends no more by now. Once all it sent is in Kinesis the consumer is asked to stop, which it does
    at the next position token: that one covers everything, so that no second token has to be waited for.

    Parameters
    ----------
    committed
        Whether the checkpoint covers all that the source sent.
    delivered
        Whether all of it is in Kinesis, as far as is known; the checkpoint alone is proof.
    progress
        Anything that changes while the consumer gets on.
    token_interval
        Seconds between position tokens.
    failed_runs
        How many runs of the consumer may fail without any progress.
    broken
        Says what broke so that nothing is worth waiting for any more; nothing while all is well.
    """

    def __init__(  # noqa: PLR0913 -- what an end depends on
        self,
        consumer: Function,
        schedules: Sequence[Schedule],
        mappings: Sequence[EventSourceMapping],
        clock: Clock,
        *,
        committed: Callable[[], bool],
        delivered: Callable[[], bool],
        progress: Callable[[], object],
        token_interval: float,
        timeout: float = STALL_SECONDS,
        failed_runs: int = FAILED_RUNS,
        broken: Callable[[], str] = str,
    ) -> None:
        self._consumer = consumer
        self._schedules = schedules
        self._mappings = mappings
        self._clock = clock
        self._committed = committed
        self._delivered = delivered
        self._progress = progress
        self._failed_runs = failed_runs
        self._broken = broken
        # Without a run under way nothing happens before the next tick, and then not before the next token.
        self._timeout = timeout + 2 * token_interval + max((one.interval for one in schedules), default=0.0)
        self.steps: tuple[tuple[str, Step], ...] = (
            (COMMITTING, self._commit_all),
            ("stopping the consumer", self._stop_consumer),
            (CLOSING, self._drain),
        )

    def _commit_all(self) -> str:
        """Wait until all that was sent is committed, asking the consumer to stop as soon as it may."""
        last, failed = self._progress(), self._consumer.errors
        stalled = StallTimeout(self._timeout, self._clock)
        asked = False
        while (reason := self._broken()) or not self._committed():
            if reason:
                self._pause()
                return reason
            if self._delivered() and not asked:
                self._pause()
                asked = self._consumer.terminate()
            if not self._under_way() and any(schedule.paused for schedule in self._schedules):
                if self._committed():
                    break
                # It stopped at an earlier token than hoped for: another run has to go on from there.
                self._resume()
                asked = False
            now = self._progress()
            if now != last:
                last, failed = now, self._consumer.errors
                stalled.restart()
            failures = self._consumer.errors - failed
            if failures >= self._failed_runs or stalled.expired():
                self._pause()
                many = f"{failures} runs of the consumer failed, none with any progress"
                why = many if failures >= self._failed_runs else f"no progress for {stalled.spent:.0f} s"
                return (
                    "The checkpoint does not cover all that was sent, and nothing moves any more: "
                    f"{why}. The consumer's last words:"
                )
            self._clock.wait(_NEVER, _STEP)
        self._pause()
        return ""

    def _stop_consumer(self) -> str:
        """Ask the consumer to stop at the next token, and wait for it."""
        stalled = StallTimeout(self._timeout, self._clock)
        while self._under_way() and not self._broken():
            self._consumer.terminate()  # each run once; one that is just beginning listens only in a moment
            if stalled.expired():
                self._consumer.stop()
                return f"The consumer did not stop within {self._timeout:.0f} s, and was killed. Its last words:"
            self._clock.wait(_NEVER, _STEP)
        if not self._broken():
            for schedule in self._schedules:
                schedule.stop()
        return ""

    def _drain(self) -> str:
        """Let the pollers consume what there is, and close the windows."""
        if self._broken():
            return ""
        for mapping in self._mappings:
            mapping.begin_drain()
        drained = [mapping.drain(DRAIN_SECONDS, self._broken) for mapping in self._mappings]
        for mapping in self._mappings:
            mapping.stop()
        if reason := self._broken():
            return reason
        return "" if all(drained) else f"The stream was not consumed to its end: no progress for {DRAIN_SECONDS:.0f} s."

    def _under_way(self) -> bool:
        """Return whether the consumer is at work, or a schedule is just about to invoke it."""
        return self._consumer.under_way > 0 or any(schedule.under_way for schedule in self._schedules)

    def _pause(self) -> None:
        for schedule in self._schedules:
            schedule.pause()

    def _resume(self) -> None:
        for schedule in self._schedules:
            schedule.resume()
