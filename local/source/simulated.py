"""Generated traffic or a recording, served by a simulator of the Tracking Stream in this process."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from local.faults.live import KEEP_ALIVE_SECONDS
from local.simulator.feed import Feed
from local.simulator.flights import GeneratedTraffic
from local.simulator.server import TrackingStreamServer
from local.source.address import StreamAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from local.audit.envelope import StoredRecord
    from local.faults.live import LiveFaults
    from local.simulator.feed import Source

_LAST_TOKENS = 0.5
"""Seconds between position tokens when the traffic has ended: the consumer stops at one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSource:
    """What is sent, at how many simulated seconds a second, with a position token every `token_interval` seconds.

    With `starts_late_by` generated traffic begins when all else is ready, at the time of the machine's clock less so
    many seconds.
    """

    traffic: Source
    token_interval: float
    speed: float = 1.0
    starts_late_by: float | None = None

    @property
    def kind(self) -> str:
        """What is sent: `generated` or `replay`."""
        return self.traffic.kind

    @property
    def rate(self) -> float | None:
        """Updates a second of generated traffic, by the clock on the wall."""
        return self.traffic.rate * self.speed if isinstance(self.traffic, GeneratedTraffic) else None

    @property
    def endless(self) -> bool:
        """Whether it goes on until it is stopped."""
        return self.traffic.endless

    @property
    def parameters(self) -> dict[str, str]:
        """The stack's parameters: there is no checkpoint yet, and what was sent before the first run counts, too."""
        return {"StartPosition": "BEGINNING"}

    @property
    def is_of_now(self) -> bool:
        """Whether its times are those of the machine's clock."""
        return self.starts_late_by is not None

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know of the recording."""
        return getattr(self.traffic, "notes", ())

    def serve(
        self, duration: float | None, tell: Callable[[str], None], faults: LiveFaults | None = None
    ) -> SimulatedStream:
        """Return the stream for one run, of so many simulated seconds or to the traffic's end; on entry it listens."""
        feed = Feed(self.traffic, speed=self.speed, duration=duration, tell=tell)
        token = secrets.token_hex(16)
        if faults is None:
            server = TrackingStreamServer(
                feed, token=token, token_interval=self.token_interval, last_interval=_LAST_TOKENS
            )
        else:
            server = TrackingStreamServer(
                feed,
                token=token,
                token_interval=self.token_interval,
                last_interval=_LAST_TOKENS,
                keep_alive=KEEP_ALIVE_SECONDS,
                body=faults.upstream.body,
                refuse=faults.upstream.refuse,
            )
            faults.upstream.server = server
        return SimulatedStream(feed, server, token, starts_late_by=self.starts_late_by)


class SimulatedStream:
    """A feed and its server for one run: on entry the server listens, on exit both have ended."""

    def __init__(
        self, feed: Feed, server: TrackingStreamServer, token: str, *, starts_late_by: float | None = None
    ) -> None:
        self.address = StreamAddress(server.url, token)
        self.finished = feed.finished
        self._feed = feed
        self._server = server
        self._starts_late_by = starts_late_by

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._feed.stop()
        self._server.stop()

    @property
    def kind(self) -> str:
        """What is sent: `generated` or `replay`."""
        return self._feed.source.kind

    @property
    def failure(self) -> BaseException | None:
        """What the traffic raised, if it did."""
        return self._feed.failure

    @property
    def sent(self) -> int:
        """How many lines were sent so far."""
        return self._feed.count

    @property
    def connections(self) -> int:
        """How many connections the server has accepted so far."""
        return self._server.connections

    @property
    def first_update_at(self) -> float | None:
        """When the first update was sent, in the local clock's seconds."""
        return self._server.first_update_at

    def start(self) -> None:
        """Begin to send."""
        if self._starts_late_by is not None and isinstance(self._feed.source, GeneratedTraffic):
            self._feed.replace(self._feed.source.starting_at(time.time() - self._starts_late_by))
        self._feed.start()

    def stop(self) -> None:
        """Send no more; clients are served on."""
        self._feed.stop()

    def position(self, token: str) -> int:
        """Return how many lines stand before a position token.

        Raises
        ------
        local.simulator.tokens.TokenError
            It is malformed, or was given for another feed.
        """
        return self._server.position(token)

    def lines(self, _stored: Iterable[StoredRecord]) -> Sequence[bytes]:
        """Return all lines that were sent."""
        return self._feed.lines(0, self._feed.count)
