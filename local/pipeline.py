"""The running system: functions, schedule and event source mappings of a stack, fed by the simulator."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from local.clock import SystemClock
from local.ending import Ending
from local.event_source_mapping import Counters, DestinationClients, EventSourceMapping
from local.functions import Function
from local.ledger import compare, count_rows
from local.report import Report, consumer_figures
from local.schedule import Schedule
from local.simulator.tokens import TokenError
from local.sinks import Alerts, Sinks
from local.view import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.cloud import Cloud
    from local.command_line import RunOptions
    from local.event_source_mapping import BatchFailed, Discard, WindowClosed
    from local.invocation import InvocationResult
    from local.simulator.feed import Feed
    from local.simulator.server import TrackingStreamServer
    from local.stack import Stack

CONSUMER, AGGREGATOR, ALERTS = "ConsumerFunction", "AggregatorFunction", "AlertsFunction"
_LOG_LINES = 5
_LOOK_SECONDS = 1.0
"""How often the sinks are looked at for the picture: each look is a few requests to moto."""


def _say_nothing(_text: str) -> None:
    """Swallow a line: what fails because everything is being killed is no news."""


class Pipeline:
    """Everything between the simulator and the sinks. `tell` prints a line for a person; it listens to the mappings.

    `endpoint` is where the functions, and the pollers in their name, find AWS, if there is something before `cloud`.
    """

    def __init__(  # noqa: PLR0913 -- the parts it is put together from
        self,
        options: RunOptions,
        stack: Stack,
        cloud: Cloud,
        feed: Feed,
        server: TrackingStreamServer,
        *,
        task_root: Path,
        path: str,
        tell: Callable[[str], None],
        endpoint: str | None = None,
    ) -> None:
        self._options = options
        self._feed = feed
        self._server = server
        self._tell = tell
        self._sinks = Sinks(cloud, stack)
        self._functions = {
            name: Function(settings, task_root, endpoint or cloud.endpoint, path, tell if options.verbose else None)
            for name, settings in stack.functions.items()
        }
        clock = SystemClock()
        self._mappings = {
            name: EventSourceMapping(
                settings,
                self._functions[name].invoke,
                client("kinesis"),
                DestinationClients(s3=client("s3"), sqs=client("sqs"), sns=client("sns")),
                clock,
                self,
            )
            for settings in stack.mappings
            for name in [stack.function(settings.function_arn).logical_id]
            # Lambda polls, and keeps what failed, with the function's role.
            for client in [partial(cloud.client, caller=name, endpoint=endpoint)]
        }
        self._schedules = [
            Schedule(
                settings,
                self._functions[stack.function(settings.function_arn).logical_id].invoke,
                clock,
                speed=options.speed,
                finished=self._run_finished,
            )
            for settings in stack.schedules
        ]
        self._lock = threading.Lock()
        self._results: list[InvocationResult] = []
        self._troubles = 0
        self._phase = "running"
        self._complete = True
        self._looked_at = 0.0
        self._seen_covered = 0
        self._seen_alerts = Alerts(0, ())

    @property
    def functions(self) -> dict[str, Function]:
        """The functions by logical id."""
        return self._functions

    def start(self) -> None:
        """Start the pollers and the schedule."""
        for mapping in self._mappings.values():
            mapping.start()
        for schedule in self._schedules:
            schedule.start()

    def finish(self) -> None:
        """Bring the run to its end: all committed, the consumer stopped at a token, the last windows closed."""
        ending = Ending(
            self._functions[CONSUMER],
            self._schedules,
            list(self._mappings.values()),
            SystemClock(),
            committed=lambda: self.covered() >= self._feed.count,
            delivered=lambda: self._in_kinesis() >= self._feed.count,
            progress=lambda: (self.covered(), self._in_kinesis()),
            token_interval=self._options.token_interval,
        )
        for phase, step in ending.steps:
            self._phase = phase
            failure = step()
            if failure:
                self._complete = False
                self._tell(f"{failure}{self._log_tail(CONSUMER)}")
        self._phase = "counting"

    def report(self, elapsed: float) -> Report:
        """Compare the feed with what stands in Kinesis and at the sinks; `elapsed` in seconds."""
        rejected = self._sinks.rejected_lines()
        with self._lock:
            results = list(self._results)
        return Report(
            kind=self._feed.source.kind,
            connections=self._server.connections,
            stream=compare(self._feed.lines(0, self._feed.count), self._sinks.records(), rejected),
            rows=count_rows(self._sinks.rows()),
            aggregator_invocations=self._counters(AGGREGATOR).invocations,
            alerts_invocations=self._counters(ALERTS).invocations,
            notified=self._sinks.alerts().count,
            suppressed=round(self._functions[ALERTS].log.total("AlertsSuppressed")),
            consumer=consumer_figures(results),
            rejected=len(rejected),
            dead_letters=self._sinks.dead_letters(),
            elapsed_seconds=elapsed,
            complete=self._complete,
        )

    def close(self) -> None:
        """End all threads and processes, whatever they are at."""
        for schedule in self._schedules:
            schedule.pause()
        for mapping in self._mappings.values():
            mapping.stop(now=True)
        for function in self._functions.values():
            function.stop()
        for mapping in self._mappings.values():
            mapping.stop()
        for schedule in self._schedules:
            schedule.stop()

    def kill(self) -> None:
        """End the functions' processes at once, and say no more; safe from a signal handler."""
        self._tell = _say_nothing
        for function in self._functions.values():
            function.kill()

    def covered(self) -> int:
        """Return how many lines of the feed the committed position token stands behind."""
        token = self._sinks.position_token()
        try:
            return 0 if token is None else self._server.position(token)
        except TokenError:
            return 0

    def snapshot(self) -> Snapshot:
        """Take a picture of this moment."""
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._seen_covered, self._seen_alerts = self.covered(), self._sinks.alerts()
            self._looked_at = time.monotonic()
        consumer, alerts = self._functions[CONSUMER], self._functions[ALERTS]
        counters = self._counters(AGGREGATOR)
        return Snapshot(
            phase=self._phase,
            released=self._feed.count,
            connections=self._server.connections,
            consumer_running_for=consumer.running_for,
            consumer_timeout=consumer.settings.timeout,
            runs=consumer.invocations,
            failed_runs=consumer.errors,
            covered=self._seen_covered,
            source_lag=consumer.log.last("SourceLag"),
            in_kinesis=self._in_kinesis(),
            iterator_age=self._mappings[AGGREGATOR].iterator_age if AGGREGATOR in self._mappings else None,
            aggregator_invocations=counters.invocations,
            windows_closed=counters.windows_closed,
            window=self._options.window,
            notified=self._seen_alerts.count,
            suppressed=round(alerts.log.total("AlertsSuppressed")),
            newest_alerts=self._seen_alerts.newest,
            rejected=round(consumer.log.total("LinesRejected")),
            troubles=self._troubles,
        )

    def window_closed(self, event: WindowClosed) -> None:
        """Say so, where every detail is asked for."""
        if self._options.verbose:
            early = ", early" if event.early else ""
            self._tell(f"window closed: {event.shard_id}, {event.records:,} records{early}")

    def batch_failed(self, event: BatchFailed) -> None:
        """Say which batch failed, and why."""
        self._trouble(
            f"{event.shard_id}: a batch of {event.records:,} failed (attempt {event.attempt}): {event.reason}"
        )

    def discarded(self, event: Discard) -> None:
        """Say which records were given up."""
        self._trouble(f"{event.shard_id}: {len(event.records):,} records given up: {event.condition}")

    def trouble(self, text: str) -> None:
        """Say what is no function's fault."""
        self._trouble(text)

    def _run_finished(self, result: InvocationResult) -> None:
        with self._lock:
            self._results.append(result)
        if result.function_error is not None:
            kind, message = result.payload.get("errorType"), result.payload.get("errorMessage")
            self._trouble(f"a run of the consumer failed: {kind}: {message}{self._log_tail(CONSUMER)}")
        elif isinstance(result.payload, dict) and result.payload.get("graceful") is not True:
            self._trouble(f"a run of the consumer did not end at a token: {result.payload.get('stopped')}")

    def _trouble(self, text: str) -> None:
        with self._lock:
            self._troubles += 1
        self._tell(text)

    def _log_tail(self, name: str) -> str:
        """Return the last lines of a function's log, unless they are shown anyway."""
        lines = [] if self._options.verbose else self._functions[name].log.newest(_LOG_LINES)
        return "".join(f"\n    {line}" for line in lines)

    def _counters(self, name: str) -> Counters:
        return self._mappings[name].counters if name in self._mappings else Counters()

    def _in_kinesis(self) -> int:
        """Return how many records the pollers have read: what stands in Kinesis, a moment ago."""
        return max((mapping.counters.read for mapping in self._mappings.values()), default=0)
