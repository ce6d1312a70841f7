"""From a batch of records to alerts: each is claimed, sent, and marked, and the first failure stops the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from alerts.notification import Alert, compose
from alerts.rules import findings
from alerts.suppression import Claim, State, Verdict
from alerts.timeouts import ALERT_SECONDS, CALL_SECONDS
from common.environment import ConfigurationError
from common.kinesis_event import update_payloads
from common.observability import logger
from common.target_update import UndecodableUpdateError, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from alerts.suppression_table import SuppressionTable
    from alerts.topic import AlertsTopic
    from common.clock import Clock
    from common.kinesis_event import KinesisRecord

MARK_ATTEMPTS: Final = 5
FIRST_MARK_PAUSE_SECONDS: Final = 0.1
MOST_UNMARKED_REMEMBERED: Final = 1_000


class _OutOfTimeError(Exception):
    """What is left of the invocation may not be enough for another alert."""


@dataclass(slots=True)
class BatchResult:
    """What became of a batch; `failed_sequence_number` is the record from which on it must be sent again.

    `failed` is 1 if that record failed, and 0 if the time ran out before it.
    """

    notified: int = 0
    suppressed: int = 0
    undecodable: int = 0
    unmarked: int = 0
    failed: int = 0
    failed_sequence_number: str | None = None


class Alerter:
    """Turns records into alerts. One instance serves all invocations of a process.

    The order of an alert's steps is the promise: the claim comes before the publication, so that no two updates are
    told of in one window, and the mark comes after it, so that a claim whose publication failed is taken up again when
    its record is sent again.

    `wanted` tells of an update that came in an envelope whether a configured pattern matches it: what the event source
    mapping decided by the header, it decided for all of them together.
    """

    def __init__(  # noqa: PLR0913 - what it works with, each by its name
        self,
        table: SuppressionTable,
        topic: AlertsTopic,
        *,
        wanted: Callable[[bytes], bool],
        suppression: timedelta,
        clock: Clock,
        pause: Callable[[float], None],
    ) -> None:
        self._table = table
        self._topic = topic
        self._wanted = wanted
        self._suppression = suppression
        self._clock = clock
        self._pause = pause
        # Sent, but the table does not say so. As long as the process lives, it knows better than the table.
        self._sent_unmarked: dict[Claim, None] = {}

    def process(self, records: Iterable[KinesisRecord], remaining_seconds: Callable[[], float]) -> BatchResult:
        """Alert on the records in their order, and stop at the first that fails.

        `remaining_seconds` says what is left of the invocation. The batch is stopped before the time could run out in
        the middle of an alert, but not before something was done: the first record has been dealt with, or an alert of
        it was sent. So every invocation gets further. An envelope stopped half way comes again as a whole, and what
        was told of it is then found in the table.

        Raises
        ------
        common.environment.ConfigurationError
            There is no telling which updates of an envelope are wanted. No record is to blame for that, and the batch
            fails as a whole.
        """
        result = BatchResult()
        for position, record in enumerate(records):
            try:
                self._process_record(record, result, remaining_seconds, first=position == 0)
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
        return result

    def _process_record(
        self, record: KinesisRecord, result: BatchResult, remaining_seconds: Callable[[], float], *, first: bool
    ) -> None:
        for data in update_payloads(record):
            # A record's own bytes are one update, or an envelope too damaged to be opened.
            from_envelope = data is not record.data
            if from_envelope and not self._wanted(data):
                continue
            try:
                update = decode(data)
            except UndecodableUpdateError as error:
                # The raw archive has it. Sending it again would not make it an update.
                logger.warning(
                    "record is no target update: skipped",
                    extra={"sequence_number": record.sequence_number, "reason": str(error)},
                )
                result.undecodable += 1
                continue
            for finding in findings(update):
                if (result.notified or not first) and remaining_seconds() < ALERT_SECONDS:
                    raise _OutOfTimeError
                claim = Claim.of(finding.rule, update, arrival=record.arrival, suppression=self._suppression)
                self._alert(Alert(finding, update, data), claim, result, remaining_seconds)

    def _alert(self, alert: Alert, claim: Claim, result: BatchResult, remaining_seconds: Callable[[], float]) -> None:
        decision = self._table.claim(claim)
        if decision.verdict is Verdict.SUPPRESSED:
            result.suppressed += 1
            if decision.window.state is State.PENDING:
                logger.warning("suppressed by an alert that was never marked as sent", extra=_named(claim))
            return
        if decision.verdict is Verdict.ALREADY_NOTIFIED:
            return
        if claim not in self._sent_unmarked:
            until = decision.window.suppressed_until
            self._topic.publish(
                compose(alert, now=self._clock.now(), suppressed_until=until, suppression=self._suppression)
            )
            result.notified += 1
            logger.info("alert sent", extra=_named(claim))
            self._remember(claim)
        if self._mark(claim, remaining_seconds):
            del self._sent_unmarked[claim]
        else:
            result.unmarked += 1

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
        self._sent_unmarked[claim] = None
        if len(self._sent_unmarked) > MOST_UNMARKED_REMEMBERED:
            del self._sent_unmarked[next(iter(self._sent_unmarked))]


def _named(claim: Claim) -> dict[str, str]:
    return {"rule": claim.rule, "icao_address": claim.icao_address, "update_key": claim.update_key}
