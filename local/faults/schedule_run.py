"""Runs one fault schedule on the rig, from an empty stream to the verdict."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from local.archive_run import archive_by_hand
from local.audit import envelope
from local.clock import SystemClock
from local.faults import excuses, triggers, verdict
from local.faults.aws.plan import by_kind
from local.faults.outcome import Outcome
from local.faults.rig import API_TOKEN, SUPPRESSION_SECONDS, WINDOW_SECONDS
from local.faults.snapshot_verdict import Shown
from local.faults.snapshot_watch import SnapshotWatch
from local.faults.stream.draw import TOKEN_LIFETIME
from local.faults.stream.injector import UpstreamFaults
from local.faults.stream.jumping_clock import JumpingClock
from local.faults.timed.concurrency_limit import ConcurrencyLimit
from local.faults.timed.processes import ProcessFaults
from local.faults.traffic import FaultTraffic
from local.function_names import AGGREGATOR, ALERTS, ARCHIVE, CONSUMER
from local.shutdown import CLOSING, COMMITTING, FAILED_RUNS, Shutdown
from local.simulator.feed import Feed
from local.simulator.server import TrackingStreamServer
from local.simulator.tokens import TokenError
from local.threads import ThreadWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.faults.aws.plan import Injected
    from local.faults.rig import Rig
    from local.faults.schedule import FaultSchedule
    from local.runtime.invocation import InvocationResult

_STALL_SECONDS = 25.0
_ARCHIVE_ATTEMPTS = 12
"""More than a schedule's rules can fail."""
_KEEP_ALIVE_SECONDS = 0.25
_OUT_OF_TIME = ("Sandbox.Timedout", "DeadlineError")
"""Errors of a run that had too little time, by themselves or as the reason of another."""
_WAITED_FOR = 2.0
"""Seconds for which a function is sure to wait for an answer; the alerts function sends a call again after 3."""


class ScheduleRun:
    """One schedule on the way; `execute` once. `results` are those of the consumer's invocations."""

    def __init__(self, rig: Rig, schedule: FaultSchedule) -> None:
        self._rig = rig
        self._schedule = schedule
        self._clock = JumpingClock()
        self._faults = UpstreamFaults(schedule.upstream, seed=schedule.seed, clock=self._clock)
        rig.reset(schedule.aws, schedule.record_format)
        self._ended_unanswered = False
        self._gate = ConcurrencyLimit(rig.functions[CONSUMER], schedule.consumers, self._look_at_its_end)
        self._resharding = rig.resharding(schedule.reshards)
        # Past the gate: a second invocation is not the schedule's.
        self._processes = ProcessFaults(schedule.processes, rig.functions, self._gate.note)
        self._watch = SnapshotWatch(rig.cloud.client("s3"), rig.stack.resources["DataBucket"])
        self._troubles: list[str] = []
        self._lengthened = 0

    @property
    def results(self) -> list[InvocationResult]:
        """What the consumer's invocations gave back so far."""
        return self._gate.results

    def execute(self) -> Outcome:
        """Run the schedule to its end, and judge."""
        began = time.monotonic()
        rig, schedule = self._rig, self._schedule
        injected_before = rig.proxy.injected
        traffic = FaultTraffic(
            seed=schedule.seed, updates=schedule.updates, seconds=schedule.seconds, start=time.time()
        )
        feed = Feed(traffic, clock=self._clock)
        server = TrackingStreamServer(
            feed,
            token=API_TOKEN,
            token_interval=schedule.token_interval,
            token_lifetime=TOKEN_LIFETIME,
            keep_alive=_KEEP_ALIVE_SECONDS,
            port=rig.port,
            body=self._faults.body,
            refuse=self._faults.refuse,
        )
        self._faults.server = server
        with ThreadWatch(self._troubles.append), contextlib.ExitStack() as running:
            running.enter_context(server)
            running.callback(self._faults.stopping.set)
            running.callback(feed.stop)
            feed.start()
            self._run(running, feed, server)
            aws = rig.proxy.injected - injected_before
            faults = self._faults.injected + self._processes.injected + self._resharding.injected + by_kind(aws)
            seen = self._observe(feed, server, aws)
        if self._troubles:
            rig.restart_functions()
        seconds = time.monotonic() - began
        return Outcome(schedule.seed, schedule.record_format, verdict.judge(seen), faults, seconds, self._lengthened)

    def _run(self, running: contextlib.ExitStack, feed: Feed, server: TrackingStreamServer) -> None:
        rig, schedule = self._rig, self._schedule
        mappings = triggers.mappings(rig, schedule)
        ticks = triggers.schedules(rig, CONSUMER, self._gate.invoke, every=triggers.CONSUMER_SECONDS)
        archives = triggers.schedules(rig, ARCHIVE, rig.functions[ARCHIVE].invoke, every=triggers.ARCHIVE_SECONDS)
        deliveries = triggers.deliveries(rig, schedule)
        for archive in archives:
            running.callback(archive.stop)
            archive.start()
        for delivery in deliveries:
            running.callback(delivery.stop, deliver=False)
            delivery.start()
        running.callback(self._processes.stop)
        running.callback(self._resharding.stop)
        for mapping in mappings:
            running.callback(mapping.stop)
            mapping.start()
        for tick in ticks:
            running.callback(tick.stop)
            tick.start()
        self._processes.start()
        self._resharding.start()
        running.callback(self._watch.stop)
        self._watch.start()
        feed.finished.wait(_STALL_SECONDS)
        self._processes.join()
        self._resharding.join()
        self._end(
            lambda: Shutdown(
                rig.functions[CONSUMER],
                ticks,
                mappings,
                SystemClock(),
                committed=lambda: self._covered(server) >= feed.count,
                delivered=lambda: False,
                # While faults still happen, what they keep from moving is not stuck.
                progress=lambda: (self._covered(server), rig.proxy.injected.total()),
                token_interval=schedule.token_interval,
                timeout=_STALL_SECONDS + rig.consumer_timeout,
                failed_runs=FAILED_RUNS + schedule.failing,
            )
        )
        self._processes.join_invocations()
        for archive in archives:
            archive.stop()
        for delivery in deliveries:
            delivery.stop()
        if failure := archive_by_hand(rig.functions[ARCHIVE], _ARCHIVE_ATTEMPTS):
            self._troubles.append(f"{failure} {' | '.join(rig.functions[ARCHIVE].log.newest(5))}")

    def _end(self, shutdown: Callable[[], Shutdown]) -> None:
        def take(step: str) -> str:
            return dict(shutdown().steps)[step]()  # each is a new one: it waits as long as a run may take by now

        for name, _ in shutdown().steps:
            if name == CLOSING:
                # What S3 refused comes with the next invocation, and behind these there is none.
                self._rig.proxy.spare(AGGREGATOR, "s3")
            failure = take(name)
            while failure and name == COMMITTING and self._starved() and self._rig.lengthen_runs():
                self._lengthened += 1
                failure = take(name)
            if failure:
                self._troubles.append(f"{failure} {self._last_words()}")
                self._rig.functions[CONSUMER].kill()

    def _starved(self) -> bool:
        """Return whether the consumer's last run failed by nothing but its time: what it lacks is a faster machine."""
        last = self.results[-1] if self.results else None
        return last is None or last.function_error is None or any(one in str(last.payload) for one in _OUT_OF_TIME)

    def _last_words(self) -> str:
        """Return the error of the consumer's last run that failed, which stands above its trace, and its log's end."""
        failed = [one.payload for one in self.results if one.function_error is not None]
        errors = [f"{one.get('errorType')}: {one.get('errorMessage')}" for one in failed[-1:] if isinstance(one, dict)]
        return " | ".join((*errors, *self._rig.functions[CONSUMER].log.newest(5)))

    def _covered(self, server: TrackingStreamServer) -> int:
        token, has_gap = self._rig.checkpoint()
        return 0 if token is None or has_gap else _lines(server.position, token)

    def _observe(self, feed: Feed, server: TrackingStreamServer, aws: Injected) -> verdict.Observation:
        rig = self._rig
        happened = excuses.that_happened(self._schedule.processes, self._processes.injected)
        content = envelope.read(rig.sinks.records())
        self._watch.stop()
        self._watch.look()
        return verdict.Observation(
            feed=feed.lines(0, feed.count),
            stream=content.updates,
            misplaced=content.misplaced,
            rows=rig.sinks.rows(),
            rejected=rig.sinks.rejected_lines(),
            notifications=list(rig.notifications()),
            dead_letters=rig.sinks.dead_letters(),
            commits=[(one.moment, _lines(server.position, one.token)) for one in rig.proxy.commits],
            doubled_by=frozenset(
                excuses.doubled_by(happened, aws, self.results)
                | ({"ended before an answer"} if self._ended_unanswered else set())
                | ({"begun again, to have longer runs"} if self._lengthened else set())
            ),
            alerted_twice_by=frozenset(
                excuses.alerted_twice_by(happened, aws)
                | ({"an answer too slow to be waited for"} if rig.proxy.slowest(ALERTS) > _WAITED_FOR else set())
            ),
            frozen=excuses.outlived_its_lease(happened),
            window=WINDOW_SECONDS,
            suppression=SUPPRESSION_SECONDS,
            shown=Shown(
                view=self._watch.view,
                went_back=self._watch.troubles,
                words=[*self._watch.words(), *rig.answers()],
                secrets=frozenset({API_TOKEN.encode(), *(one.token.encode() for one in rig.proxy.commits)}),
                owed=rig.proxy.owed(),
            ),
            archived=rig.sinks.archived(),
            troubles=self._troubles,
        )

    def _look_at_its_end(self, result: InvocationResult) -> None:
        """Note whether a run ended before Kinesis had answered: to that run, the answer was lost."""
        self._ended_unanswered |= excuses.may_leave_something(result) and self._rig.proxy.unanswered(CONSUMER)


def _lines(position: Callable[[str], int], token: str) -> int:
    try:
        return position(token)
    except TokenError:
        return 0
