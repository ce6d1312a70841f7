"""One client's stream: lines of the feed, position tokens and keep-alives, in the order the API promises."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from local.simulator import times
from local.simulator.tokens import Position
from local.simulator.update_log import NoLongerKeptError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.clock import Clock
    from local.simulator.body import Body
    from local.simulator.filters import UpdateFilter
    from local.simulator.tokens import TokenSealer
    from local.simulator.update_log import UpdateLog

WELCOME, KEEP_ALIVE = 100, 101
"""Status codes. The API's documents show 100 for the welcome; the keep-alive's is unknown, and 101 is this server's."""

_LINES_PER_WRITE = 256
"""A client that catches up gets this many lines in a chunk: some 200 KB, and a slow one is noticed within it."""


class SlowReaderError(Exception):
    """The client fell too far behind."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """When a stream says where it stands, and how patient it is; seconds of the wall clock.

    `token_lines` is after how many lines of the feed a client that catches up gets a token without waiting for the
    interval, so that it can commit on the way. A client that had caught up and falls `longest_lag` behind the feed is
    disconnected. `last_interval` is between tokens once the feed has ended and all of it is sent: nobody needs to wait
    for the end of an interval in which nothing more can come.
    """

    token_interval: float
    keep_alive: float = 15.0
    token_lines: int = 2000
    longest_lag: float = 60.0
    last_interval: float = math.inf


class Stream:
    """Writes one response.

    `run_live` and `run_batch` return when the response is over or `stop` was called, and raise OSError when the client
    is gone and SlowReaderError when it fell too far behind. `sends_updates` is called before each write of some.
    """

    def __init__(  # noqa: PLR0913 -- the parts of a stream, each replaced in some test
        self,
        body: Body,
        *,
        feed: UpdateLog,
        update_filter: UpdateFilter,
        sealer: TokenSealer,
        pacing: Pacing,
        clock: Clock,
        sends_updates: Callable[[], None],
    ) -> None:
        self._body = body
        self._feed = feed
        self._filter = update_filter
        self._sealer = sealer
        self._pacing = pacing
        self._clock = clock
        self._sends_updates = sends_updates
        self._stopping = threading.Event()
        self._wake = feed.subscribe()
        self._next_keep_alive = clock.now() + pacing.keep_alive
        self._next_token = clock.now() + pacing.token_interval

    def stop(self) -> None:
        """End the response soon, without ending it cleanly. May be called from any thread."""
        self._stopping.set()
        self._wake.set()

    def run_live(self, position: int) -> None:
        """Send everything from `position` on, until `stop`."""
        since_token = 0
        caught_up = False
        self._body.write(self._status(WELCOME, "welcome to the Tracking Stream"))
        while not self._stopping.is_set():
            self._wake.clear()
            ended = self._feed.finished.is_set()  # asked before looking, as in a batch
            released = self._feed.count
            stop = max(position, min(released, position + _LINES_PER_WRITE))
            messages = self._select(position, stop)
            since_token += stop - position
            position = stop
            behind = position < released
            now = self._clock.now()
            interval = self._pacing.token_interval
            if ended and not behind:
                interval = min(interval, self._pacing.last_interval)
                self._next_token = min(self._next_token, now + interval)
            if now >= self._next_token or (behind and since_token >= self._pacing.token_lines):
                messages = [*messages, self._token(position)]
                since_token = 0
                self._next_token = now + interval
            self._send(messages, now)
            caught_up = caught_up or not behind
            if caught_up and self._feed.seconds_behind(position) > self._pacing.longest_lag:
                raise SlowReaderError(f"more than {self._pacing.longest_lag:g} s behind the feed")
            if not behind:
                self._wait_until(min(self._next_token, self._next_keep_alive))

    def run_batch(self, start: float, end: float) -> None:
        """Send what was ingested from `start` to before `end` (epoch seconds), waiting for it if need be, and end.

        There are no position tokens: the API sends only updates in batch mode.
        """
        self._body.write(self._status(WELCOME, "welcome to the Tracking Stream, batch mode"))
        position = self._feed.position_at(start)
        while not self._stopping.is_set():
            self._wake.clear()
            complete = self._feed.complete_before(end)  # asked before looking: what is released meanwhile is not lost
            last = self._feed.position_at(end)
            stop = max(position, min(last, position + _LINES_PER_WRITE))
            self._send(self._select(position, stop), self._clock.now())
            position = stop
            if position == last:
                if complete:
                    self._body.end()
                    return
                self._wait_until(self._next_keep_alive)

    def close(self) -> None:
        """Let go of the feed."""
        self._feed.unsubscribe(self._wake)

    def _select(self, position: int, stop: int) -> list[bytes]:
        """Return the lines from `position` to before `stop` that pass the client's filters."""
        try:
            lines = self._filter.select(self._feed.lines(position, stop))
        except NoLongerKeptError as error:
            raise SlowReaderError(str(error)) from error
        if lines:
            self._sends_updates()
        return lines

    def _send(self, messages: list[bytes], now: float) -> None:
        """Write messages, and a keep-alive after them when its time has come."""
        data = b"\n".join([*messages, b""])
        if now >= self._next_keep_alive:
            data += self._status(KEEP_ALIVE, "keep-alive")
            self._next_keep_alive = now + self._pacing.keep_alive
        if data:
            self._body.write(data)

    def _wait_until(self, moment: float) -> None:
        self._clock.wait(self._wake, max(0.0, moment - self._clock.now()))

    def _token(self, position: int) -> bytes:
        token = self._sealer.issue(Position(position, self._feed.now()))
        return msgspec.json.encode({"position_token": token})

    def _status(self, code: int, message: str) -> bytes:
        moment = times.with_milliseconds(int(self._feed.now() * 1000))
        status = {"timestamp": moment, "level": "INFO", "message": message, "code": code}
        return msgspec.json.encode({"status": status}) + b"\n"
