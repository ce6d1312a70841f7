"""Keeps a connection to the stream: opens it, waits before a reconnect, gives up one that makes no progress."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from consumer.backoff import Backoff
from consumer.rare_warning import RareWarning
from consumer.stream.client import Batch, FromToken, TokenRefusedError
from consumer.stream.connection import StreamInterruptedError
from consumer.timing import STALE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.clock import Clock
    from consumer.checkpoint.committer import Committer
    from consumer.deadline import Deadline
    from consumer.ingestion.catch_up import CatchUp
    from consumer.ingestion.end_of_reading import EndOfReading
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.time_budget import TimeBudget
    from consumer.stream.client import StreamClient
    from consumer.stream.connection import Connection

_SLEEP_STEP = 0.2
_CHECK_SECONDS = 0.05  # a line may come every few microseconds: not every one has to check the clock

_REFUSALS = 3
"""How often a position token has to be refused until it is one that the server does not know: any answer may be a
fault of the moment, and what follows costs a recovery."""


@dataclass(slots=True)
class ConnectionCounters:
    """What happened to connections so far.

    `seconds` is the total time for which a connection was open, without the one that has been open since `opened_at`
    (monotonic clock).
    """

    connections: int = 0
    bytes: int = 0
    seconds: float = 0.0
    opened_at: float | None = None

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(0, self.connections - 1)

    def seconds_by(self, monotonic: float) -> float:
        """Return the seconds for which a connection was open by then."""
        opened_at = self.opened_at
        return self.seconds + (0.0 if opened_at is None else monotonic - opened_at)


class ConnectionKeeper:
    """One run's connections, one after the other."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators, each of its own type
        self,
        client: StreamClient,
        processor: TargetProcessor,
        committer: Committer,
        budget: TimeBudget,
        end: EndOfReading,
        clock: Clock,
        *,
        deadline: Deadline | None = None,
        backoff: Backoff | None = None,
        stale_seconds: float = STALE_SECONDS,
        catch_up: CatchUp | None = None,
    ) -> None:
        """Give up a connection on which no update and no new token has come for `stale_seconds`."""
        self.counters = ConnectionCounters()
        self._client = client
        self._processor = processor
        self._committer = committer
        self._budget = budget
        self._end = end
        self._clock = clock
        self._deadline = deadline
        self._backoff = backoff or Backoff(base=0.5, cap=30.0)
        self._stale_seconds = stale_seconds
        self._catch_up = catch_up
        self._failures = 0
        self._refusals = 0
        self._updates = 0
        self._new = 0
        self._progress_at = 0.0
        self._check_at = 0.0
        self._interruptions = RareWarning(clock.monotonic)

    def interrupt(self) -> None:
        """Wake whatever waits for the server, from any thread."""
        self._client.abort()

    def close(self) -> None:
        """Say what was left out of the log."""
        self._interruptions.close()

    @contextmanager
    def connected(self, wanted: FromToken | Batch) -> Iterator[Connection]:
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
                self.check()
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

        The wait grows from one refused token to the next, until a token is accepted: a server that accepts none is not
        asked all the time.
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
                self.wait(str(refusal), self._backoff.delay(self._refusals))
            else:
                if isinstance(wanted, FromToken) and wanted.is_stored_token:
                    self._refusals = 0
                return connection

    def progressed(self) -> None:
        """Take note of a new token: the stream gets somewhere."""
        self._progress_at, self._failures = self._clock.monotonic(), 0

    def excuse(self) -> None:
        """Take note that the server is not to blame for the time that has passed."""
        self._progress_at = self._clock.monotonic()

    def check_now_and_then(self) -> None:
        """Do what `check` does, if it was not done a moment ago."""
        if self._committer.error is not None or self._clock.monotonic() >= self._check_at:
            self.check()

    def check(self) -> None:
        """Stop if reading is over; give up a connection that gets nowhere.

        Raises
        ------
        Stopped, ConsumerError
            See `EndOfReading.check`.
        StreamInterruptedError
            Nothing has come for too long.
        """
        self._end.check()
        now = self._clock.monotonic()
        self._check_at = now + _CHECK_SECONDS
        counters = self._processor.counters
        new = counters.updates - counters.duplicates_dropped
        if new != self._new:  # what comes again shows that the connection lives, not that the next one will do better
            self._new, self._failures = new, 0
        if counters.updates != self._updates:
            self._updates = counters.updates
            self.excuse()
        elif now - self._progress_at > self._stale_seconds:
            raise StreamInterruptedError(f"no update and no new position token for {self._stale_seconds:g} s")

    def _wait_before_retry(self, interruption: StreamInterruptedError) -> None:
        if interruption.retry_after:
            self._committer.keep_retry_at(self._clock.now() + timedelta(seconds=interruption.retry_after))
        self.excuse()  # no connection is no stale connection
        self.check()  # the interruption may be our own
        self._failures += 1
        self._end.check_wait(interruption.retry_after, str(interruption))
        self.wait(str(interruption), max(interruption.retry_after, self._backoff.delay(self._failures)))

    def wait(self, reason: str, seconds: float) -> None:
        """Wait before a connection is opened; raises as `check` does."""
        self._interruptions.warning(
            "stream interrupted, opening it again", reason=reason, delay_seconds=round(seconds, 2)
        )
        ends_at = self._clock.monotonic() + seconds
        while True:
            self.excuse()
            self.check()
            if (left := ends_at - self._progress_at) <= 0:
                return
            self._clock.sleep(min(left, _SLEEP_STEP))
