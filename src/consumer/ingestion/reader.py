"""Reads the stream: acts on every message, live from a token or in batch mode, and stops in time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumer.checkpoint.position import NO_DELAY
from consumer.ingestion.back_pressure import BackPressure
from consumer.rare_warning import RareWarning
from consumer.stream.batch_parser import BatchParser
from consumer.stream.client import Batch, FromToken
from consumer.stream.connection import MOST_CHARACTERS, StreamInterruptedError
from consumer.stream.messages import PositionToken, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from common.clock import Clock
    from consumer.checkpoint.committer import Committer
    from consumer.checkpoint.position import TimeRange
    from consumer.ingestion.connection_keeper import ConnectionCounters, ConnectionKeeper
    from consumer.ingestion.end_of_reading import EndOfReading
    from consumer.ingestion.live_updates import LiveUpdates
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.time_budget import TimeBudget
    from consumer.stream.connection import Connection
    from consumer.stream.messages import Status, StreamUpdate
    from consumer.stream.redaction import Redactor

_EMPTY_ANSWERS = 3
"""How often in a row a time range has to be answered with nothing at all until nothing was ingested in it."""

_ERROR = "ERROR"
_LEVELS_LOGGED = frozenset({"WARN", _ERROR})


class _LivePositionFound(Exception):  # noqa: N818 - no error: ends the search
    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


class StreamReader:
    """One run's reader; every method runs on the invocation's main thread, but for `interrupt`."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators, each of its own type
        self,
        keeper: ConnectionKeeper,
        end: EndOfReading,
        processor: TargetProcessor,
        committer: Committer,
        budget: TimeBudget,
        clock: Clock,
        *,
        redactor: Redactor,
        parser: BatchParser | None = None,
        delay: timedelta = NO_DELAY,
    ) -> None:
        """Read by connections of the `keeper`; the server's words pass the `redactor` before they are logged."""
        self._keeper = keeper
        self._end = end
        self._processor = processor
        self._committer = committer
        self._budget = budget
        self._clock = clock
        self._redactor = redactor
        self._parser = parser or BatchParser()
        self._delay = delay
        self._token: str | None = None
        self._server_time: datetime | None = None
        self._reported_error: str | None = None
        self._has_heard = False
        self._statuses = RareWarning(clock.monotonic)
        self._back_pressure = BackPressure(processor, keeper, clock)

    @property
    def counters(self) -> ConnectionCounters:
        """What happened to its connections so far."""
        return self._keeper.counters

    def interrupt(self) -> None:
        """Wake whatever waits for the server, from any thread: time is up, or the lease is lost."""
        self._keeper.interrupt()

    def close(self) -> None:
        """Say what was left out of the log; reading is over."""
        self._keeper.close()
        self._statuses.close()
        self._back_pressure.close()

    def follow(self, position: str) -> None:
        """Read the live stream from a token, `LATEST` or `BEGINNING`, through disconnects, until it is time to stop.

        Raises
        ------
        Stopped
            It is time; always, in the end.
        ConsumerError
            As `StreamClient.open` and `TargetProcessor.process` raise them.
        """
        self._token = position
        if FromToken(position).is_stored_token:
            self._back_pressure.token_arrived()
        self._keeper.progressed()
        while True:
            with self._keeper.connected(FromToken(self._token)) as connection:
                self._read(connection, self._processor.process, self._reach, self._back_pressure.interrupt_once)
                raise StreamInterruptedError("the server ended the response")

    def wait_until(self, moment: datetime) -> None:
        """Wait until the server may be asked, as it said to an earlier run.

        Raises
        ------
        Stopped
            That is later than this run ends.
        """
        seconds, reason = (moment - self._clock.now()).total_seconds(), "the server said so to an earlier run"
        self._end.check_wait(seconds, reason)
        self._keeper.wait(reason, seconds)

    def find_live_position(self, updates: LiveUpdates) -> tuple[str, datetime, datetime]:
        """Read the live stream up to its next token, acting on nothing; note its `updates`.

        Returns the token, when it was received, and the ingestion time that the stream had reached there: the newest
        one sent before it, or the server's time if that is later, since what is sent there may be old. Where nothing is
        sent, our own clock counts as well: a time too late fetches a little twice, which is recognised; a time too
        early loses what lies between. For a stream that is late by design, both clocks are set back by its delay.
        Whether the server's status messages are current or as late as its updates is not documented: the nearer of the
        two is assumed.
        """
        self._server_time = None
        while True:
            try:
                with self._keeper.connected(FromToken("LATEST")) as connection:
                    self._read(connection, updates.note, _found, self._back_pressure.forget)
            except _LivePositionFound as found:
                received_at = self._clock.now()
                there = received_at - self._delay
                reached = self._server_time or there
                if self._delay and reached > received_at - self._delay / 2:
                    reached -= self._delay
                return found.token, received_at, max(updates.newest or there, reached)

    def fetch(
        self,
        slice_: TimeRange,
        unknown: Callable[[Sequence[StreamUpdate]], Sequence[StreamUpdate]],
        *,
        must_fit: bool = False,
    ) -> int:
        """Process what was ingested in a time range, through disconnects; return how many updates came.

        Only those of the updates that are `unknown` are processed. Tokens sent in batch mode do not move the position.
        The request is repeated after a response in which the server reports an error, however that response ends, since
        it may lack updates; after one that may have ended only because its connection did, with lines but without a
        message; and, a few times, after an empty one: the server has not said that nothing was ingested.

        Raises
        ------
        SliceTooLargeError
            It `must_fit`, and holds more updates than can be kept apart.
        Stopped, ConsumerError
            As `follow`.
        """
        before = self._processor.counters.updates
        is_complete, empty_answers = False, 0
        while not is_complete:
            with self._keeper.connected(Batch(slice_)) as connection:
                self._reported_error, self._has_heard = None, False
                rejected = self._processor.counters.rejected
                self._read(
                    connection,
                    lambda updates: self._processor.process(unknown(updates)),
                    lambda _: None,
                    self._back_pressure.cut_shorter if must_fit else self._back_pressure.forget,
                )
                if self._reported_error is not None:
                    raise StreamInterruptedError(f"the server reported an error: {self._reported_error}")
                if not connection.ends_visibly:
                    raise StreamInterruptedError(
                        "the response may have been cut short: nothing in it says where it ends"
                    )
                if not self._has_heard:
                    empty_answers = empty_answers + 1 if self._processor.counters.rejected == rejected else 0
                    if empty_answers < _EMPTY_ANSWERS:
                        raise StreamInterruptedError("the response holds no message of the Tracking Stream")
                is_complete = True
            if self._has_heard:
                empty_answers = 0
        self._keeper.progressed()  # the waits before a reconnect do not grow from one quiet slice to the next
        return self._processor.counters.updates - before

    def _read(
        self,
        connection: Connection,
        on_updates: Callable[[Sequence[StreamUpdate]], None],
        on_token: Callable[[str], None],
        on_full: Callable[[], None],
    ) -> None:
        for blocks in connection.blocks():
            for run in self._parser.runs(blocks):
                if isinstance(run, Rejected):
                    self._processor.reject(run.line, run.length, run.reason)
                    continue
                self._has_heard = True
                if isinstance(run, list):
                    on_updates(run)
                elif isinstance(run, PositionToken):
                    on_token(run.token)
                else:
                    self._heard(run)
            if self._processor.is_full:
                self._back_pressure.wait(on_full)
            self._keeper.check_now_and_then()

    def _reach(self, token: str) -> None:
        """Act on a token; stop at it if the next would come too late, a stop was asked for, or all is caught up."""
        if token == self._token:
            self._processor.token_repeated()
            if self._processor.has_uncommitted:
                return  # sent again after a reconnect: what has come since lies behind it
        else:
            now = self._clock.now()
            self._redactor.hide(token)  # a status may quote it
            self._keeper.progressed()
            if not self._processor.token_arrived():
                return
            self._token = token
            self._back_pressure.token_arrived()
            self._processor.reach(token, now)
            self._committer.notify()
            newest = self._processor.newest_ingestion_time
            self._budget.token_arrived(self._clock.monotonic(), newest, now - self._delay)
        self._end.check_at_token()

    def _heard(self, status: Status) -> None:
        self._server_time = status.timestamp or self._server_time
        if status.level in _LEVELS_LOGGED:
            text = partial(self._redactor.clean, status.message, MOST_CHARACTERS)
            if status.level == _ERROR:
                self._reported_error = text()
            self._statuses.warning("the stream says", level_of_status=status.level, code=status.code, text=text)


def _found(token: str) -> None:
    raise _LivePositionFound(token)
