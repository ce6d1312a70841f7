"""The figures of a run: snapshots while it runs, and the audit report at its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local.audit import archive, envelope
from local.audit.ledger import compare, count_rows
from local.audit.report import Report, consumer_figures
from local.audit.sinks import Alerts
from local.cli.view import Snapshot
from local.event_source_mapping import Counters
from local.function_names import AGGREGATOR, ALERTS, CONSUMER
from local.simulator.tokens import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.audit.sinks import Sinks
    from local.event_source_mapping import EventSourceMapping
    from local.monitor import Watch
    from local.run_options import RunOptions
    from local.runtime.function import Function
    from local.source.source import SourceStream

_LOOK_SECONDS = 1.0
"""How often the sinks are looked at for the picture: each look is a few requests to moto."""


class Figures:
    """Looks at the parts of one run; changes nothing. Functions and mappings are by logical id."""

    def __init__(  # noqa: PLR0913, PLR0917 -- all that has figures
        self,
        options: RunOptions,
        source: SourceStream,
        sinks: Sinks,
        watch: Watch,
        functions: Mapping[str, Function],
        mappings: Mapping[str, EventSourceMapping],
    ) -> None:
        self._options = options
        self._source = source
        self._sinks = sinks
        self._watch = watch
        self._functions = functions
        self._mappings = mappings
        self._looked_at = 0.0
        self._seen_covered = 0
        self._seen_alerts = Alerts(0, ())

    def covered(self) -> int:
        """Return how many lines of the feed the committed position token stands behind."""
        if self._source.sent is None:
            return 0
        token = self._sinks.position_token()
        try:
            return 0 if token is None else self._source.position(token)
        except TokenError:
            return 0

    def snapshot(self, phase: str) -> Snapshot:
        """Return how the run is at this moment, in which `phase` it is."""
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._seen_covered, self._seen_alerts = self.covered(), self._sinks.alerts()
            self._looked_at = time.monotonic()
        consumer, alerts = self._functions[CONSUMER], self._functions[ALERTS]
        counters = self._counters(AGGREGATOR)
        return Snapshot(
            phase=phase,
            released=self._source.sent,
            connections=self._source.connections,
            consumer_running_for=consumer.running_for,
            consumer_timeout=consumer.settings.timeout,
            runs=consumer.invocations,
            failed_runs=consumer.errors,
            covered=self._seen_covered,
            source_lag=consumer.log.last("SourceLag"),
            in_kinesis=self._watch.in_kinesis,
            iterator_age=self._mappings[AGGREGATOR].iterator_age if AGGREGATOR in self._mappings else None,
            aggregator_invocations=counters.invocations,
            windows_closed=counters.windows_closed,
            window=self._options.window,
            notified=self._seen_alerts.count,
            suppressed=round(alerts.log.total("AlertsSuppressed")),
            newest_alerts=self._seen_alerts.newest,
            rejected=round(consumer.log.total("LinesRejected")),
            troubles=self._watch.troubles,
        )

    def report(self, elapsed: float, done_at: float | None, *, is_complete: bool) -> Report:
        """Compare the feed with what is in Kinesis and at the sinks.

        `elapsed` is the run's seconds, `done_at` the local clock's time at which the last invocation had ended.
        """
        source, began = self._source, self._source.first_update_at
        rejected = self._sinks.rejected_lines()
        content = envelope.read(self._sinks.records())
        lines = source.lines(content.updates)
        return Report(
            kind=source.kind,
            is_source_known=source.sent is not None,
            connections=source.connections or 0,
            stream=compare(lines, content.updates, rejected),
            record_format=self._options.record_format,
            records=content.records,
            misplaced=content.misplaced,
            rows=count_rows(self._sinks.rows(), content.updates, self._options.window),
            aggregator_invocations=self._counters(AGGREGATOR).invocations,
            alerts_invocations=self._counters(ALERTS).invocations,
            notified=self._sinks.alerts().count,
            suppressed=round(self._functions[ALERTS].log.total("AlertsSuppressed")),
            consumer=consumer_figures(self._watch.results),
            archive=archive.compare(lines, self._sinks.archived(), rejected) if self._options.archive else None,
            rejected=len(rejected),
            dead_letters=self._sinks.dead_letters(),
            unkept=sum(mapping.counters.unkept for mapping in self._mappings.values()),
            elapsed_seconds=elapsed,
            moving_seconds=None if began is None or done_at is None else done_at - began,
            complete=is_complete,
        )

    def _counters(self, name: str) -> Counters:
        return self._mappings[name].counters if name in self._mappings else Counters()
