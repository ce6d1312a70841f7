"""From a batch of records to alerts: each is claimed, sent, and marked, and the first failure stops the batch."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import batched
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from alerts.log_entry import LogEntry
from alerts.notification import Alert, compose
from alerts.rules import findings
from alerts.suppression import Claim, Verdict, suppressed_until
from alerts.timeouts import ALERT_SECONDS, CALL_SECONDS
from common.environment import ConfigurationError
from common.kinesis_event import update_payloads
from common.observability import logger
from common.target_update import TargetUpdate, UndecodableUpdateError, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from alerts.alert_log import AlertLog
    from alerts.progress import EnvelopeProgress
    from alerts.suppression_table import SuppressionTable
    from alerts.topic import AlertsTopic
    from common.clock import Clock
    from common.kinesis_event import KinesisRecord

MARK_ATTEMPTS: Final = 5
FIRST_MARK_PAUSE_SECONDS: Final = 0.1
MOST_UNMARKED_REMEMBERED: Final = 1_000

UPDATES_AT_A_TIME: Final = 256
"""Updates of one envelope that are alerted on before the progress is noted, and so the most that is done again."""

THREADS: Final = 8
"""Aircraft of one envelope that are alerted on at the same time; botocore's clients keep ten connections each."""

_LONGEST_REASON: Final = 200
"""Characters of an error that a log line quotes."""


class _OutOfTimeError(Exception):
    """What is left of the invocation may not be enough for another alert."""


class _Candidate(NamedTuple):
    """An update that calls for alerts: the line of its record that it stands on, decoded and as received."""

    line: int
    update: TargetUpdate
    data: bytes
    arrival: float


@dataclass(slots=True)
class BatchResult:
    """What became of a batch; `failed_sequence_number` is the record from which on it must be sent again.

    `failed` is 1 if that record failed, and 0 if the time ran out before it. `fields_ignored` counts fields of decoded
    updates that hold nothing an update can have. `unlogged` alerts are sent and wait to be logged; `not_shown` counts
    failed writes of the newest ones.
    """

    notified: int = 0
    suppressed: int = 0
    undecodable: int = 0
    fields_ignored: int = 0
    unmarked: int = 0
    unlogged: int = 0
    not_shown: int = 0
    failed: int = 0
    failed_sequence_number: str | None = None


@dataclass(slots=True)
class _Turn:
    """One invocation: its result, which several threads add to, and what is left of its time."""

    remaining_seconds: Callable[[], float]
    result: BatchResult = field(default_factory=BatchResult)
    first: bool = True
    """Nothing before the record at hand has been dealt with."""
    _lock: Lock = field(default_factory=Lock)

    def count(self, *, notified: int = 0, suppressed: int = 0, unmarked: int = 0) -> None:
        with self._lock:
            self.result.notified += notified
            self.result.suppressed += suppressed
            self.result.unmarked += unmarked

    def check_time(self) -> None:
        """Stop before the time could run out in the middle of an alert, but not before something was done."""
        if (self.result.notified or not self.first) and self.remaining_seconds() < ALERT_SECONDS:
            raise _OutOfTimeError


class Alerter:
    """Turns records into alerts. One instance serves all invocations of a process.

    The order of an alert's steps is the promise: the claim comes before the publication, so that no two updates are
    told of in one window, and the mark comes after it, so that a claim whose publication failed is taken up again when
    its record is sent again. An alert is logged when those of the batch have been sent and marked, so that S3 delays
    none. One that is found marked is logged, too, since its process may have ended in between.

    `wanted` tells of an update that came in an envelope whether a configured pattern matches it: what the event source
    mapping decided by the header, it decided for all of them together.
    """

    def __init__(  # noqa: PLR0913 - what it works with, each by its name
        self,
        table: SuppressionTable,
        progress: EnvelopeProgress,
        topic: AlertsTopic,
        log: AlertLog,
        *,
        wanted: Callable[[bytes], bool],
        suppression: timedelta,
        clock: Clock,
        pause: Callable[[float], None],
    ) -> None:
        self._table = table
        self._progress = progress
        self._topic = topic
        self._log = log
        self._wanted = wanted
        self._suppression = suppression
        self._clock = clock
        self._pause = pause
        # Sent, but the table does not say so. As long as the process lives, it knows better than the table.
        self._sent_unmarked: dict[Claim, None] = {}
        self._remembering = Lock()

    def process(self, records: Iterable[KinesisRecord], remaining_seconds: Callable[[], float]) -> BatchResult:
        """Alert on the records in their order, and stop at the first that fails.

        `remaining_seconds` says what is left of the invocation. The batch is stopped before the time could run out in
        the middle of an alert, but not before something was done: the first record has been dealt with, or an alert of
        it was sent. So every invocation gets further. An envelope stopped half way comes again as a whole, and is gone
        on with where it was stopped; what was told of it behind that is found in the table.

        Raises
        ------
        common.environment.ConfigurationError
            There is no telling which updates of an envelope are wanted. No record is to blame for that, and the batch
            fails as a whole.
        """
        turn = _Turn(remaining_seconds)
        result = turn.result
        for record in records:
            try:
                self._process_record(record, turn)
            except _OutOfTimeError:
                logger.warning("stopping: too little time left", extra={"sequence_number": record.sequence_number})
                result.failed_sequence_number = record.sequence_number
                break
            except ConfigurationError:
                raise
            except Exception:  # noqa: BLE001 - whatever it is, the records before this one are done and must not be sent again
                logger.exception("record failed", extra={"sequence_number": record.sequence_number})
                result.failed = 1
                result.failed_sequence_number = record.sequence_number
                break
            turn.first = False
        self._write_log(turn)
        return result

    def _process_record(self, record: KinesisRecord, turn: _Turn) -> None:
        """Alert on a record's updates, so many at a time that the progress is worth a note."""
        done = 0
        for number, candidates in enumerate(batched(self._candidates(record, turn), UPDATES_AT_A_TIME, strict=False)):
            is_whole = len(candidates) == UPDATES_AT_A_TIME
            if number == 0 and is_whole:
                done = self._progress.lines_done(record)
            if candidates[-1].line < done:
                continue
            self._alert_on_all(candidates, turn)
            if is_whole:
                self._write_log(turn)  # what lies before the progress is not looked at again
                self._progress.advance(record, candidates[-1].line + 1)

    def _candidates(self, record: KinesisRecord, turn: _Turn) -> Iterator[_Candidate]:
        """Yield the updates that call for alerts; what is no update is counted, and told of in one line of the log."""
        undecodable, reason, ignored = 0, "", Counter[str]()
        for line, data in enumerate(update_payloads(record)):
            # A record's own bytes are one update, or an envelope too damaged to be opened.
            from_envelope = data is not record.data
            try:
                if not from_envelope or self._wanted(data):
                    yield _Candidate(line, decode(data, ignored), data, record.arrival)
            except UndecodableUpdateError as error:
                undecodable += 1
                reason = reason or str(error)[:_LONGEST_REASON]
        turn.result.fields_ignored += ignored.total()
        if undecodable:
            # The raw archive has it. Sending it again would not make it an update.
            turn.result.undecodable += undecodable
            logger.warning(
                "record holds what is no target update: skipped",
                extra={"sequence_number": record.sequence_number, "lines": undecodable, "first_reason": reason},
            )

    def _alert_on_all(self, candidates: Sequence[_Candidate], turn: _Turn) -> None:
        """Alert on updates of one record, those of an aircraft in their order, several aircraft at the same time."""
        lanes: dict[str, list[_Candidate]] = defaultdict(list)
        for candidate in candidates:
            lanes[candidate.update.icao_address].append(candidate)
        if len(lanes) == 1:
            for candidate in candidates:
                self._alert_on(candidate, turn)
            return
        stopped = Event()

        def run(lane: list[_Candidate]) -> None:
            try:
                for candidate in lane:
                    if stopped.is_set():
                        return
                    self._alert_on(candidate, turn)
            except BaseException:
                stopped.set()  # what is under way is brought to its end, and nothing else is begun
                raise

        running = [self._threads.submit(run, lane) for lane in lanes.values()]
        failures = [failure for failure in [lane.exception() for lane in running] if failure is not None]
        if failures:
            # Running out of time is no failure: where something failed as well, that is what has to be known.
            raise min(failures, key=lambda one: isinstance(one, _OutOfTimeError))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Made when an envelope first needs them, and kept."""
        return ThreadPoolExecutor(THREADS, "alerts")

    def _alert_on(self, candidate: _Candidate, turn: _Turn) -> None:
        update = candidate.update
        for finding in findings(update):
            turn.check_time()
            claim = Claim.of(finding.subject, update, arrival=candidate.arrival, suppression=self._suppression)
            self._alert(Alert(finding, update, candidate.data), claim, turn)

    def _alert(self, alert: Alert, claim: Claim, turn: _Turn) -> None:
        decision = self._table.claim(claim)
        if decision.verdict is Verdict.SUPPRESSED:
            turn.count(suppressed=1)
            if decision.pending:
                logger.warning("suppressed by an alert that was never marked as sent", extra=_named(claim))
            return
        if decision.verdict is Verdict.ALREADY_NOTIFIED:
            self._log.add(LogEntry(alert, claim, sent_at=None))
            return
        sent_at: datetime | None = None
        if claim not in self._sent_unmarked:
            until = suppressed_until(claim)
            self._topic.publish(
                compose(alert, now=self._clock.now(), suppressed_until=until, suppression=self._suppression)
            )
            sent_at = self._clock.now()
            turn.count(notified=1)
            logger.info("alert sent", extra=_named(claim))
            self._remember(claim)
        self._log.add(LogEntry(alert, claim, sent_at))
        if self._mark(claim, turn.remaining_seconds):
            self._sent_unmarked.pop(claim, None)
        else:
            turn.count(unmarked=1)

    def _write_log(self, turn: _Turn) -> None:
        """Write the log, but not where it has failed in this invocation: it would take the next alerts' time."""
        if not turn.result.unlogged:
            turn.result.unlogged, turn.result.not_shown = self._log.flush(turn.remaining_seconds)

    def _mark(self, claim: Claim, remaining_seconds: Callable[[], float]) -> bool:
        """Mark the alert as sent; try again while there is time, and tell whether it worked.

        A mark that fails for good does not fail the record, which would send the alert twice. The window stays
        pending in this update's name, and that silences the updates that follow as well as a mark would.
        """
        attempt, pause = 1, FIRST_MARK_PAUSE_SECONDS
        while True:
            try:
                self._table.mark_notified(claim)
            except (BotoCoreError, ClientError) as error:
                if attempt == MARK_ATTEMPTS or remaining_seconds() < pause + CALL_SECONDS:
                    logger.error(
                        "alert was sent but could not be marked as sent: a second sending of its record may tell twice",
                        extra=_named(claim) | {"reason": str(error)},
                    )
                    return False
            else:
                return True
            self._pause(pause)
            attempt, pause = attempt + 1, pause * 2

    def _remember(self, claim: Claim) -> None:
        with self._remembering:
            self._sent_unmarked[claim] = None
            if len(self._sent_unmarked) > MOST_UNMARKED_REMEMBERED:
                del self._sent_unmarked[next(iter(self._sent_unmarked))]


def _named(claim: Claim) -> dict[str, str]:
    return {"subject": claim.subject, "icao_address": claim.icao_address, "update_key": claim.update_key}
