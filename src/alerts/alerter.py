"""Turns a batch of records into alerts: each is claimed, sent and marked; the first failure stops the batch."""

from __future__ import annotations

from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import batched
from threading import Event, Lock
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from alerts.candidates import candidates
from alerts.log_entry import LogEntry
from alerts.notification import Alert, compose
from alerts.rules import findings
from alerts.suppression import Claim, Verdict, suppressed_until
from alerts.timeouts import CALL_SECONDS, LEAST_SECONDS
from alerts.turn import BatchResult, OutOfTimeError, Turn
from common.environment import ConfigurationError
from common.observability import logger
from common.update_log import update_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, timedelta

    from alerts.alert_log import AlertLog
    from alerts.candidates import Candidate
    from alerts.progress import EnvelopeProgress
    from alerts.suppression_table import SuppressionTable
    from alerts.topic import AlertsTopic
    from common.clock import Clock
    from common.kinesis_event import KinesisRecord
    from common.update_log import UpdateLog

MARK_ATTEMPTS: Final = 5
FIRST_MARK_PAUSE_SECONDS: Final = 0.1
MOST_UNMARKED_REMEMBERED: Final = 1_000

UPDATES_AT_A_TIME: Final = 256
"""Updates of one envelope that are alerted on before the progress is noted, and so the most that is done again."""

FEW: Final = 4
"""So few updates of one envelope need no note: an invocation has time to find all their alerts suppressed or sent."""

THREADS: Final = 8
"""Aircraft of one envelope that are alerted on at the same time; botocore's clients keep ten connections each."""


class Alerter:
    """Turns records into alerts. One instance serves all invocations of a process.

    The order of an alert's steps is the promise: the claim comes before the publication, so that no two updates are
    sent in one window; the mark comes after it, so that a claim whose publication failed is taken up again when its
    record is sent again. Alerts are logged once those of the batch, or enough of them, have been sent and marked: an S3
    that fails delays those behind by one attempt at most. An alert that is found already marked is logged too, since
    its process may have ended in between.

    `wanted` says whether a configured pattern matches an update of an envelope: the event source mapping decided by the
    header, for all of them together. With `update_log`, decisions are logged.
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
        update_log: UpdateLog | None = None,
    ) -> None:
        self._table = table
        self._progress = progress
        self._topic = topic
        self._log = log
        self._wanted = wanted
        self._suppression = suppression
        self._clock = clock
        self._pause = pause
        self._update_log = update_log
        # Sent, but the table does not say so. As long as the process lives, it knows better than the table.
        self._sent_unmarked: dict[Claim, None] = {}
        self._remembering = Lock()

    def process(self, records: Iterable[KinesisRecord], remaining_seconds: Callable[[], float]) -> BatchResult:
        """Alert on the records in their order, and stop at the first that fails.

        `remaining_seconds` says what is left of the invocation. The batch is stopped before the time could run out in
        the middle of an alert, but not before something was done. An envelope stopped half way comes again as a whole
        and resumes where it was stopped; alerts already sent beyond that point are found in the table. So every
        invocation gets further.

        Raises
        ------
        common.environment.ConfigurationError
            It is not known which updates of an envelope are wanted. No record is to blame for that, and the batch
            fails as a whole.
        common.kinesis_event.MalformedEventError
            From `records`: the event breaks off there.
        """
        turn = Turn(remaining_seconds)
        try:
            self._process_in_order(records, turn)
        except Exception:
            self._write_log(turn)  # the batch fails as a whole, but what was sent was sent
            raise
        finally:
            turn.skipped.close()
        self._write_log(turn)
        turn.result.unlogged = self._log.count_unlogged()
        return turn.result

    def _process_in_order(self, records: Iterable[KinesisRecord], turn: Turn) -> None:
        result = turn.result
        for record in records:
            try:
                self._process_record(record, turn)
            except OutOfTimeError:
                logger.warning("stopping: too little time left", extra={"sequence_number": record.sequence_number})
                result.failed_sequence_number = record.sequence_number
                return
            except ConfigurationError:
                raise
            except Exception:  # noqa: BLE001 - whatever it is, the records before this one are done and must not be sent again
                logger.exception("record failed", extra={"sequence_number": record.sequence_number})
                result.failed = 1
                result.failed_sequence_number = record.sequence_number
                return
            turn.something_done = True

    def _process_record(self, record: KinesisRecord, turn: Turn) -> None:
        """Alert on a record's updates, so many at a time that the progress is worth a note."""
        done, is_noted = 0, False
        found = candidates(record, self._wanted, turn)
        for number, several in enumerate(batched(found, UPDATES_AT_A_TIME, strict=False)):
            if number == 0 and len(several) > FEW:
                done, is_noted = self._progress.lines_done(record), True
            lanes = _lanes(candidate for candidate in several if candidate.line >= done)
            if not lanes:
                continue
            if self._log.is_worth_writing():
                self._write_log(turn, keeping=LEAST_SECONDS)
            try:
                self._alert_on_all(lanes, turn)
            except OutOfTimeError:
                if is_noted:
                    self._note(record, min(lane[0].line for lane in lanes if lane), turn)
                raise
            if len(several) == UPDATES_AT_A_TIME:
                self._note(record, several[-1].line + 1, turn)

    def _note(self, record: KinesisRecord, lines_done: int, turn: Turn) -> None:
        """Note how far the record is done, with the log written before: nobody looks at those lines again."""
        self._write_log(turn, keeping=CALL_SECONDS)
        self._progress.advance(record, lines_done)

    def _alert_on_all(self, lanes: Sequence[deque[Candidate]], turn: Turn) -> None:
        """Alert on several aircraft at the same time; what could not be done is left in the lanes."""
        stopped = Event()

        def run(lane: deque[Candidate]) -> None:
            try:
                while lane and not stopped.is_set():
                    self._alert_on(lane[0], turn)
                    lane.popleft()
            except BaseException:
                stopped.set()  # what is under way is brought to its end, and nothing else is begun
                raise

        if len(lanes) == 1:
            run(lanes[0])
            return
        running = [self._threads.submit(run, lane) for lane in lanes]
        failures = [failure for failure in [lane.exception() for lane in running] if failure is not None]
        if failures:
            # Running out of time is no failure: where something failed as well, that is what has to be known.
            raise min(failures, key=lambda one: isinstance(one, OutOfTimeError))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Made when an envelope first needs them, and kept."""
        return ThreadPoolExecutor(THREADS, "alerts")

    def _alert_on(self, candidate: Candidate, turn: Turn) -> None:
        update = candidate.update
        for finding in findings(update):
            turn.check_time()
            claim = Claim.of(finding.subject, update, arrival=candidate.arrival, suppression=self._suppression)
            self._alert(Alert(finding, update, candidate.data), claim, turn)
            turn.something_done = True

    def _alert(self, alert: Alert, claim: Claim, turn: Turn) -> None:
        decision = self._table.claim(claim)
        if self._update_log is not None:
            self._update_log.decide(alert.data, decision.verdict.value, **_named(claim))
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
            logger.info("alert sent", extra=_named(claim) | {"update_id": update_id(alert.data)})
            self._remember(claim)
        self._log.add(LogEntry(alert, claim, sent_at))
        if self._mark(claim, turn.remaining_seconds):
            self._sent_unmarked.pop(claim, None)
        else:
            turn.count(unmarked=1)

    def _write_log(self, turn: Turn, *, keeping: float = 0.0) -> None:
        """Write the log, and keep so many seconds; not where it has failed in this invocation, for the alerts' sake."""
        if not turn.log_has_failed:
            flushed = self._log.flush(lambda: turn.remaining_seconds() - keeping)
            turn.log_has_failed, turn.result.not_shown = flushed.has_failed, int(not flushed.is_shown)

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


def _lanes(several: Iterable[Candidate]) -> list[deque[Candidate]]:
    """Return the updates of each aircraft, in their order."""
    lanes: dict[str, deque[Candidate]] = defaultdict(deque)
    for candidate in several:
        lanes[candidate.update.icao_address].append(candidate)
    return list(lanes.values())


def _named(claim: Claim) -> dict[str, str]:
    return {"subject": claim.subject, "icao_address": claim.icao_address, "update_key": claim.update_key}
