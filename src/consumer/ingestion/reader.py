"""Reads the stream: keeps a connection, acts on every message, and stops when it is time to."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from common.observability import logger
from consumer.backoff import Backoff
from consumer.checkpoint.position import NO_DELAY
from consumer.ingestion.summary import ReaderCounters, StopReason
from consumer.rare_warning import RareWarning
from consumer.stream.batch_parser import BatchParser
from consumer.stream.client import Batch, FromToken, TokenRefusedError
from consumer.stream.connection import MOST_CHARACTERS, StreamInterruptedError
from consumer.stream.messages import PositionToken, Rejected
from consumer.timing import STALE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from common.clock import Clock
    from consumer.checkpoint.committer import Committer
    from consumer.checkpoint.position import TimeRange
    from consumer.deadline import Deadline
    from consumer.ingestion.catch_up import CatchUp
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.stop_request import StopRequest
    from consumer.ingestion.time_budget import TimeBudget
    from consumer.stream.client import StreamClient
    from consumer.stream.connection import Connection
    from consumer.stream.messages import Status, StreamUpdate

_SLEEP_STEP = 0.2
_CHECK_SECONDS = 0.05  # a line may come by itself every few microseconds: not each has to look at the clock's meaning
_ROOM_SECONDS = 0.05

_REFUSALS = 3
"""How often a position token has to be refused until it is one that the server does not know: any answer may be a
fault of the moment, and what follows costs a recovery."""

_EMPTY_ANSWERS = 3
"""How often a time range has to be answered with nothing at all until nothing was ingested in it."""

_ERROR = "ERROR"
_LEVELS_LOGGED = frozenset({"WARN", _ERROR})


class Stopped(Exception):  # noqa: N818 - no error: the end of reading, and why
    """Reading is over."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class _LivePositionFound(Exception):  # noqa: N818 - no error: ends the search
    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


class StreamReader:
    """One run's reader; every method runs on the invocation's main thread, but for `interrupt`."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators, each of a type of its own
        self,
        client: StreamClient,
        processor: TargetProcessor,
        committer: Committer,
        budget: TimeBudget,
        stop_request: StopRequest,
        clock: Clock,
        *,
        deadline: Deadline | None = None,
        parser: BatchParser | None = None,
        backoff: Backoff | None = None,
        stale_seconds: float = STALE_SECONDS,
        catch_up: CatchUp | None = None,
        delay: timedelta = NO_DELAY,
    ) -> None:
        self.counters = ReaderCounters()
        self._client = client
        self._processor = processor
        self._committer = committer
        self._budget = budget
        self._stop_request = stop_request
        self._clock = clock
        self._deadline = deadline
        self._parser = parser or BatchParser()
        self._backoff = backoff or Backoff(base=0.5, cap=30.0)
        self._stale_seconds = stale_seconds
        self._catch_up = catch_up
        self._delay = delay
        self._failures = 0
        self._token: str | None = None
        self._progress: tuple[int, str | None] = (0, None)
        self._progress_at = 0.0
        self._check_at = 0.0
        self._server_time: datetime | None = None
        self._reported_error: str | None = None
        self._full_at = 0
        self._has_heard = False
        self._refusals = 0
        self._interruptions, self._statuses = RareWarning(clock.monotonic), RareWarning(clock.monotonic)

    def interrupt(self) -> None:
        """Wake whatever waits for the server, from any thread: time is up, or the lease is lost."""
        self._client.abort()

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
        try:
            while True:
                with self._connected(FromToken(self._token)) as connection:
                    self._read(connection, self._processor.process, self._reach)
                    raise StreamInterruptedError("the server ended the response")
        finally:
            self._interruptions.close()
            self._statuses.close()

    def wait_until(self, moment: datetime) -> None:
        """Wait until the server may be asked, as it said to an earlier run.

        Raises
        ------
        Stopped
            That is later than this run ends.
        """
        seconds, reason = (moment - self._clock.now()).total_seconds(), "the server said so to an earlier run"
        self._end_before(seconds, reason)
        self._wait(reason, seconds)

    def find_live_position(self) -> tuple[str, datetime, datetime]:
        """Read the live stream up to its next token, acting on nothing.

        Returns the token, when it was received, and up to what ingestion time the stream had come there: the newest
        sent before it, or the server's time if that is later, since what is sent there may be old. Where nothing is
        sent, our own clock counts, too: one time too late has a little fetched twice, and recognised; one too early
        loses what lies between. Of a stream that is late by design both clocks are taken back by as much; whether the
        server's status messages are of now or as late as its updates is not documented, and is judged by which of the
        two they are nearer to.
        """
        newest: list[datetime] = []
        self._server_time = None

        def note(updates: Sequence[StreamUpdate]) -> None:
            times = [time for update in updates if (time := update.ingestion_time) is not None]
            newest[:] = sorted([*newest, *times])[-1:]

        while True:
            try:
                with self._connected(FromToken("LATEST")) as connection:
                    self._read(connection, note, _found)
            except _LivePositionFound as found:
                received_at = self._clock.now()
                there = received_at - self._delay
                told = self._server_time or there
                if self._delay and told > received_at - self._delay / 2:
                    told -= self._delay
                return found.token, received_at, max(newest[0] if newest else there, told)

    def fetch(self, slice_: TimeRange, unknown: Callable[[Sequence[StreamUpdate]], Sequence[StreamUpdate]]) -> int:
        """Process what was ingested in a time range, through disconnects; return how many updates came.

        Of the updates that came together only the `unknown` ones are processed. Tokens sent in batch mode do not move
        the position. A response in which the server reports an error may lack updates, however it ends: it is asked for
        again. So is one whose end may be that of its connection alone, one that holds lines and no message, and, a few
        times, one that holds nothing: the server has not said that nothing was ingested.
        """
        before = self._processor.counters.updates
        is_complete, attempts = False, 0
        while not is_complete:
            with self._connected(Batch(slice_)) as connection:
                self._reported_error, self._has_heard, attempts = None, False, attempts + 1
                rejected = self._processor.counters.rejected
                self._read(
                    connection,
                    lambda updates: self._processor.process(unknown(updates)),
                    lambda _: None,
                )
                if self._reported_error is not None:
                    raise StreamInterruptedError(f"the server reported an error: {self._reported_error}")
                if not connection.ends_visibly:
                    raise StreamInterruptedError(
                        "the response may have been cut short: nothing in it says where it ends"
                    )
                if not self._has_heard and (self._processor.counters.rejected > rejected or attempts < _EMPTY_ANSWERS):
                    raise StreamInterruptedError("the response holds no message of the Tracking Stream")
                is_complete = True
        return self._processor.counters.updates - before

    @contextmanager
    def _connected(self, wanted: FromToken | Batch) -> Iterator[Connection]:
        """Open a connection, trying until it is there; an interruption inside ends the block after a wait."""
        connection = self._open(wanted)
        self.counters.connections += 1
        self._processor.connected()
        opened_at = self._progress_at = self.counters.opened_at = self._clock.monotonic()
        self._budget.connected(opened_at, self._processor.newest_ingestion_time)
        if self._catch_up is not None:
            self._catch_up.connected(opened_at)
        try:
            try:
                self._check()
                yield connection
            finally:
                connection.close()
                self.counters.bytes += connection.bytes_received
                self.counters.opened_at = None
                self.counters.seconds += self._clock.monotonic() - opened_at
        except StreamInterruptedError as interruption:
            self._wait_before_retry(interruption)

    def _open(self, wanted: FromToken | Batch) -> Connection:
        """Open a connection, trying until it is there; a refused token is one only if it is refused several times.

        From one refused token to the next the waits grow, until one is accepted: a server that accepts none is not
        asked for another one all the time.
        """
        refusals = 0
        while True:
            try:
                connection = self._client.open(wanted, deadline=self._deadline)
            except StreamInterruptedError as interruption:
                self._wait_before_retry(interruption)
            except TokenRefusedError as refusal:
                refusals, self._refusals = refusals + 1, self._refusals + 1
                if refusals == _REFUSALS:
                    raise
                self._wait(str(refusal), self._backoff.delay(self._refusals))
            else:
                if isinstance(wanted, FromToken) and wanted.is_stored_token:
                    self._refusals = 0
                return connection

    def _read(
        self,
        connection: Connection,
        on_updates: Callable[[Sequence[StreamUpdate]], None],
        on_token: Callable[[str], None],
    ) -> None:
        for blocks in connection.blocks():
            for run in self._parser.runs(blocks):
                if isinstance(run, Rejected):
                    self._reject(run)
                    continue
                self._has_heard = True
                if isinstance(run, list):
                    on_updates(run)
                elif isinstance(run, PositionToken):
                    on_token(run.token)
                else:
                    self._heard(run)
            if self._processor.is_full:
                self._wait_for_room()
            if self._committer.error is not None or self._clock.monotonic() >= self._check_at:
                self._check()

    def _reach(self, token: str) -> None:
        """Act on a token; stop at it if the next would come too late, a stop was asked for, or all is caught up."""
        if token == self._token:
            if self._processor.has_uncommitted:
                return  # sent again after a reconnect: what has come since lies behind it
        else:
            now = self._clock.now()
            self._token = token
            self._processor.reach(token, now)
            self._committer.notify()
            newest = self._processor.newest_ingestion_time
            self._budget.token_arrived(self._clock.monotonic(), newest, now - self._delay)
        if (reason := self._stop_request.reason) is not None:
            raise Stopped(reason)
        if self._catch_up is not None and self._catch_up.is_done(
            self._processor.counters.updates, self._processor.newest_ingestion_time, self._clock.monotonic()
        ):
            raise Stopped(StopReason.CAUGHT_UP)
        if not self._budget.another_token_fits:
            raise Stopped(StopReason.NEAR_DEADLINE)

    def _check(self) -> None:
        """Between chunks: stop if it cannot wait for a token; give up a connection that gets nowhere."""
        if self._committer.error is not None:
            raise self._committer.error
        self._processor.raise_if_failed()
        if self._budget.is_exhausted:
            raise Stopped(StopReason.DEADLINE if self._processor.has_uncommitted else StopReason.NEAR_DEADLINE)
        if not self._processor.has_uncommitted and (reason := self._stop_request.reason) is not None:
            raise Stopped(reason)
        now = self._clock.monotonic()
        self._check_at = now + _CHECK_SECONDS
        progress = self._processor.counters.updates, self._token
        if progress != self._progress:
            self._progress, self._progress_at, self._failures = progress, now, 0
        elif now - self._progress_at > self._stale_seconds:
            raise StreamInterruptedError(f"no update and no new position token for {self._stale_seconds:g} s")

    def _wait_for_room(self) -> None:
        """Wait until enough is committed: what is not must be remembered, and that has a bound.

        Raises
        ------
        StreamInterruptedError
            All that was closed by a token is committed: the server sends updates without end and no token.
        """
        updates = self._processor.counters.updates - self._processor.counters.duplicates_dropped
        while self._processor.makes_room() and self._processor.is_full:
            self._progress_at = self._clock.monotonic()  # the server is not to blame
            self._check()
            self._clock.sleep(_ROOM_SECONDS)
        if self._processor.is_full and updates != self._full_at:
            self._full_at = updates
            raise StreamInterruptedError("more updates without a position token than can be kept apart")

    def _wait_before_retry(self, interruption: StreamInterruptedError) -> None:
        if interruption.retry_after:
            self._committer.keep_retry_at(self._clock.now() + timedelta(seconds=interruption.retry_after))
        self._progress_at = self._clock.monotonic()  # no connection is no stale connection
        self._check()  # the interruption may be our own
        self._failures += 1
        self._end_before(interruption.retry_after, str(interruption))
        self._wait(str(interruption), max(interruption.retry_after, self._backoff.delay(self._failures)))

    def _end_before(self, seconds: float, reason: str) -> None:
        """End the run if the server asks to wait for longer than it lasts: waiting would come to nothing."""
        if seconds > self._budget.remaining:
            logger.warning(
                "the server asks to wait for longer than this run lasts: it ends",
                reason=reason,
                retry_after_seconds=round(seconds, 2),
            )
            raise Stopped(StopReason.DEADLINE if self._processor.has_uncommitted else StopReason.RETRY_LATER)

    def _wait(self, reason: str, delay: float) -> None:
        """Wait before a connection is opened again."""
        self._interruptions.warning(
            "stream interrupted, opening it again", reason=reason, delay_seconds=round(delay, 2)
        )
        ends_at = self._clock.monotonic() + delay
        while True:
            self._progress_at = self._clock.monotonic()  # no connection is no stale connection
            self._check()
            if (left := ends_at - self._progress_at) <= 0:
                return
            self._clock.sleep(min(left, _SLEEP_STEP))

    def _reject(self, rejected: Rejected) -> None:
        """Keep a line that is no message, without the API token, should the server repeat it there."""
        redactor = self._client.redactor
        line, reason = redactor.line(rejected.line), rejected.reason
        if line is not rejected.line:  # what is wrong may quote it
            reason = redactor.told(reason, MOST_CHARACTERS)
        self._processor.reject(line, rejected.length, reason)

    def _heard(self, status: Status) -> None:
        self._server_time = status.timestamp or self._server_time
        if status.level in _LEVELS_LOGGED:
            told = partial(self._client.redactor.told, status.message, MOST_CHARACTERS)
            if status.level == _ERROR:
                self._reported_error = told()
            self._statuses.warning("the stream says", level_of_status=status.level, code=status.code, text=told)


def _found(token: str) -> None:
    raise _LivePositionFound(token)
