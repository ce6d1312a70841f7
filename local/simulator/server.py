"""The Tracking Stream's server: authentication, responses, and all open streams."""

from __future__ import annotations

import hmac
import math
import threading
from typing import TYPE_CHECKING, Self

from local.clock import SystemClock
from local.simulator import times
from local.simulator.body import chunked
from local.simulator.filters import UpdateFilter
from local.simulator.query import BEGINNING, LATEST, QueryError
from local.simulator.stream import Pacing, Stream
from local.simulator.tokens import TokenError, TokenSealer
from local.simulator.transport import PATH, HttpServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from http import HTTPStatus

    from local.clock import Clock
    from local.simulator.body import BodyFactory
    from local.simulator.query import StreamQuery
    from local.simulator.update_log import UpdateLog

TOKEN_LIFETIME = 6 * 3600.0
"""Seconds: the API takes a position token that is not older."""


def _refuse_none(_query: str) -> HTTPStatus | None:
    return None


class TrackingStreamServer:
    """Serves a feed to any number of clients, each in its own thread.

    Parameters
    ----------
    feed
        What is streamed. It is neither started nor stopped here.
    token
        The API token that clients must bear.
    token_interval
        Seconds of the wall clock between position tokens.
    token_lifetime
        Seconds of simulated time after which a position token is refused.
    keep_alive
        Seconds of the wall clock between keep-alive messages.
    token_lines
        After how many lines a client that catches up gets a position token without waiting for the interval.
    last_interval
        Seconds between position tokens once the feed has ended and all of it is sent, if that is less.
    send_timeout
        Seconds after which a client that reads nothing is disconnected, and an idle connection is closed.
    longest_lag
        Seconds of the wall clock by which a client that had caught up may fall behind before it is disconnected.
    body
        Makes the bodies of responses.
    refuse
        Asked about each authorised request's query string: a status to refuse it with, or None to serve it.

    Raises
    ------
    ValueError
        The token is empty or cannot be sent, or the interval is not above 0.
    OSError
        The port is taken, or may not be used.
    """

    def __init__(  # noqa: PLR0913 -- each has its default; a settings object would only move the list
        self,
        feed: UpdateLog,
        *,
        token: str,
        token_interval: float,
        token_lifetime: float = TOKEN_LIFETIME,
        keep_alive: float = 15.0,
        token_lines: int = 2000,
        last_interval: float = math.inf,
        send_timeout: float = 30.0,
        longest_lag: float = 60.0,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        body: BodyFactory = chunked,
        refuse: Callable[[str], HTTPStatus | None] = _refuse_none,
    ) -> None:
        if not token.strip():
            raise ValueError("token: got an empty one; expected the API token that clients must bear")
        if not (token.isascii() and token.isprintable()) or token != token.strip():
            raise ValueError("token: got one that no header can carry; expected printable ASCII characters")
        if not token_interval > 0:
            raise ValueError(f"token_interval: got {token_interval:g}; expected a number of seconds above 0")
        self.feed = feed
        self.send_timeout = send_timeout
        self._token = token.encode()
        self._token_lifetime = token_lifetime
        self._pacing = Pacing(token_interval, keep_alive, token_lines, longest_lag, last_interval)
        self._clock: Clock = clock or SystemClock()
        self._make_body = body
        self.refuse = refuse
        self._sealer = TokenSealer(feed.identity)
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._accepted = 0
        self._first_update_at: float | None = None
        self._stopping = False
        self._http = HttpServer((host, port), self)
        self._thread = self._listener()
        self._listening = threading.Lock()
        self._stopped = threading.Event()

    def _listener(self) -> threading.Thread:
        return threading.Thread(target=self._http.serve_forever, args=(0.05,), name="tracking-stream")

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def refuse_connections(self, seconds: float) -> None:
        """Do not listen for a while, as a server that restarts; streams that are open go on. Returns afterwards."""
        with self._listening:
            if self._stopped.is_set():
                return
            self._http.shutdown()
            self._thread.join()
            self._http.socket.close()
            self._stopped.wait(seconds)
            self._http.listen_again()
            self._thread = self._listener()
            self._thread.start()

    def stop(self) -> None:
        """Disconnect every client, and return when each thread has ended and each socket is closed."""
        self._stopped.set()
        with self._lock:
            self._stopping = True
            streams = tuple(self._streams)
        for stream in streams:
            stream.stop()
        with self._listening:
            if self._thread.is_alive():
                self._http.shutdown()
                self._thread.join()
        self._http.disconnect_all()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port clients connect to."""
        return self._http.server_port

    @property
    def url(self) -> str:
        """The stream's address."""
        return f"http://{self._http.server_address[0]!s}:{self.port}{PATH}"

    @property
    def connections(self) -> int:
        """How many streams have been accepted so far, live and batch."""
        with self._lock:
            return self._accepted

    @property
    def first_update_at(self) -> float | None:
        """When the first update was sent to anybody, in the clock's seconds; None before that."""
        return self._first_update_at

    def _note_updates(self) -> None:
        if self._first_update_at is None:
            self._first_update_at = self._clock.now()

    def position(self, token: str) -> int:
        """Return how many lines of the feed stand before a position token, however old it is.

        Raises
        ------
        TokenError
            It is malformed, or was given for another feed.
        """
        return self._sealer.open(token).lines

    def is_authorized(self, header: str | None) -> bool:
        """Return whether an Authorization header bears the API token."""
        scheme, _, given = (header or "").partition(" ")  # the scheme is one in either case (RFC 9110, 11.1)
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token)

    def first_position(self, query: StreamQuery) -> int:
        """Return the position a live stream begins at.

        Raises
        ------
        QueryError
            The token is malformed, of another feed, or too old.
        """
        if query.position == LATEST:
            return self.feed.count
        if query.position == BEGINNING:
            return self.feed.first
        takes = f"{BEGINNING}, {LATEST} or a token sent earlier and not older than {self._token_lifetime:g} s"
        try:
            position = self._sealer.open(query.position)
        except TokenError as error:
            raise QueryError("position_token", f"{query.position} ({error})", takes) from None
        age = self.feed.now() - position.issued
        if age > self._token_lifetime:
            raise QueryError("position_token", f"{query.position} ({age:.0f} s old)", takes)
        if position.lines < self.feed.first:
            raise QueryError("position_token", f"{query.position} (what follows it is no longer kept)", takes)
        return position.lines

    def check_kept(self, start: float) -> None:
        """See that a batch can begin at `start`, in seconds since the epoch.

        Raises
        ------
        QueryError
            What was ingested then is forgotten.
        """
        if start < (oldest := self.feed.kept_from):
            got, takes = times.with_milliseconds(int(start * 1000)), times.with_milliseconds(math.ceil(oldest * 1000))
            raise QueryError("start", f"{got} (what was ingested then is no longer kept)", f"{takes} or later")

    def serve(self, connection: socket.socket, query: StreamQuery, position: int) -> None:
        """Write a response's body until it ends, the client is gone, or the server stops.

        Raises
        ------
        OSError
            The client is gone.
        SlowReaderError
            The client fell too far behind.
        """
        stream = Stream(
            self._make_body(connection, gzip=query.gzip),
            feed=self.feed,
            update_filter=UpdateFilter(query.filters, self.feed.now),
            sealer=self._sealer,
            pacing=self._pacing,
            clock=self._clock,
            sends_updates=self._note_updates,
        )
        with self._lock:
            self._accepted += 1
            self._streams.add(stream)
            if self._stopping:
                stream.stop()
        try:
            if query.batch:
                stream.run_batch(*query.batch)
            else:
                stream.run_live(position)
        finally:
            stream.close()
            with self._lock:
                self._streams.discard(stream)
