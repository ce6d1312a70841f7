"""The running system: functions, schedules and event source mappings of a stack, fed by a source."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.archive_run import ArchiveRun
from local.audit.sinks import Sinks
from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping, Pace
from local.figures import Figures
from local.flights_run import FlightsRun
from local.function_names import CONSUMER
from local.monitor import Watch, say_nothing
from local.runtime.function import Function
from local.runtime.schedule import Schedule
from local.shutdown import Shutdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.audit.report import Report
    from local.aws.moto import Cloud
    from local.cli.view import Snapshot
    from local.run_options import RunOptions
    from local.runtime.invocation import InvocationResult
    from local.runtime.reaper import Reaper
    from local.source.source import SourceStream
    from local.stack import Stack


class Pipeline:
    """Everything between the source and the sinks. `tell` prints a line for a person.

    `endpoint` is where the functions, and the pollers in their name, find AWS, if there is something before `cloud`.
    `reaper` ends the functions should this process be killed. `broken` says what else broke, nothing if nothing did.
    """

    def __init__(  # noqa: PLR0913 -- the parts it is put together from
        self,
        options: RunOptions,
        stack: Stack,
        cloud: Cloud,
        source: SourceStream,
        *,
        task_root: Path,
        path: str,
        tell: Callable[[str], None],
        endpoint: str | None = None,
        reaper: Reaper | None = None,
        broken: Callable[[], str] = str,
    ) -> None:
        self._options = options
        self._broken = broken
        self._source = source
        self._sinks = Sinks(cloud, stack)
        self._functions = {
            name: Function(
                settings,
                task_root,
                endpoint or cloud.endpoint,
                path,
                tell if options.verbose else None,
                reaper=reaper,
            )
            for name, settings in stack.functions.items()
        }
        self._watch = Watch(tell, self._functions[CONSUMER].log, verbose=options.verbose)
        self._clock = clock = SystemClock()
        pace = Pace.at(options.source.speed)
        self._mappings = {
            name: EventSourceMapping(
                settings,
                self._functions[name].invoke,
                client("kinesis"),
                DestinationClients(s3=client("s3"), sqs=client("sqs"), sns=client("sns")),
                clock,
                self._watch.mapping(),
                pace=pace,
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
                speed=options.source.speed,
                finished=self._watch.run_finished,
                is_on=partial(_is_on, cloud.client("events"), settings.rule_arn.rpartition("/")[2]),
            )
            for settings in stack.schedules
            if stack.function(settings.function_arn).logical_id == CONSUMER
        ]
        archiving = self._functions if options.archive else {}
        self._flights = FlightsRun(stack, cloud, archiving)
        self._archive = ArchiveRun(
            stack,
            cloud,
            archiving,
            clock,
            speed=options.source.speed,
            failed=self._watch.trouble,
            archived=partial(self._flights.make_meanwhile, self._watch.trouble),
        )
        self._phase = "running"
        self._complete = True
        self._done_at: float | None = None
        self._figures = Figures(options, source, self._sinks, self._watch, self._functions, self._mappings)

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
        self._archive.start()

    def run_finished(self, result: InvocationResult) -> None:
        """Take note of a run of the consumer that another than the schedule began."""
        self._watch.run_finished(result)

    def deploy(self, task_root: Path) -> None:
        """Give all functions other code, as a deployment does."""
        for function in self._functions.values():
            function.deploy(task_root)

    def finish(self) -> None:
        """Bring the run to its end: all committed, the consumer stopped at a token, the last windows closed."""
        for schedule in self._schedules:
            schedule.ignore_the_rule()
        ending = Shutdown(
            self._functions[CONSUMER],
            self._schedules,
            list(self._mappings.values()),
            self._clock,
            committed=lambda: self.covered() >= self._sent(),
            delivered=lambda: self._watch.in_kinesis >= self._sent(),
            progress=lambda: (self.covered(), self._watch.in_kinesis),
            token_interval=self._options.source.token_interval,
            broken=self.broken,
        )
        steps: list[tuple[str, Callable[[], str]]] = [
            *ending.steps,
            ("archiving", self._archive.finish),
            ("flights", partial(self._flights.make_meanwhile, self._watch.trouble)),
        ]
        for phase, step in steps:
            self._phase = phase
            try:
                failure = step()
            except (BotoCoreError, ClientError) as error:
                failure = f"The local AWS does not answer: {error}"
            if failure:
                self._complete = False
                self._watch.tell(f"{failure}{self._watch.consumers_last_words()}")
            if step == ending.steps[-1][1]:
                self._done_at = self._clock.now()
        self._phase = "counting"

    def cannot_start(self) -> str:
        """Return which function's runtime does not start, why, and its last words; nothing if all that began did."""
        for name, function in self._functions.items():
            if reason := function.cannot_start:
                words = "".join(f"\n    {line}" for line in function.log.newest())
                return f"{name} ({function.settings.handler}) cannot start: {reason}{words}"
        return ""

    def broken(self) -> str:
        """Return why the run cannot come to its proper end; nothing while it can."""
        return self._broken() or ("" if self._options.chaos is not None else self.cannot_start())

    def _sent(self) -> int:
        """Return how many lines the source has sent; of somebody else's stream none has to be waited for."""
        return self._source.sent or 0

    def data(self) -> Iterator[tuple[str, bytes]]:
        """Yield what the run made: the objects of the data bucket, with their keys."""
        return self._sinks.data()

    def close(self) -> None:
        """End all threads and processes, whatever they are doing."""
        self._archive.pause()
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
        self._archive.close()

    def kill(self) -> None:
        """End the functions' processes at once, and say no more; safe from a signal handler."""
        self._watch.tell = say_nothing
        for function in self._functions.values():
            function.kill()

    def covered(self) -> int:
        """Return how many lines of the feed the committed position token stands behind."""
        return self._figures.covered()

    def snapshot(self) -> Snapshot:
        """Take a picture of this moment."""
        return self._figures.snapshot(self._phase)

    def report(self, elapsed: float) -> Report:
        """Compare the feed with what is in Kinesis and at the sinks; `elapsed` in seconds."""
        is_complete = self._complete and self._source.failure is None and not self._broken()
        return self._figures.report(elapsed, self._done_at, is_complete=is_complete)


def _is_on(events: Any, rule: str) -> bool:
    """Return whether a rule is enabled; it counts as enabled while nothing answers; others report that."""
    try:
        return bool(events.describe_rule(Name=rule)["State"] == "ENABLED")
    except (BotoCoreError, ClientError):
        return True
