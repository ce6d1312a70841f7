"""Injects faults into the Tracking Stream: connections that break, stall or lie, and refused requests.

Faults apply to the stream at a line: the n-th sent, over all connections. So a schedule needs no clock, and each
fault comes, since the consumer does not rest before it has every line. Whatever is done keeps to what the API promises:
what lies before a position token was sent before it on this connection or lies before the token it began with.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from http import HTTPStatus
from typing import TYPE_CHECKING

from local.faults.stream.body import FaultyBody
from local.faults.stream.fault import UpstreamKind

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from local.faults.stream.fault import UpstreamFault
    from local.faults.stream.jumping_clock import JumpingClock
    from local.simulator.body import Body
    from local.simulator.server import TrackingStreamServer

_TOKEN_REFUSALS = 3
"""How often a token is refused: once or twice may be a fault of the moment to the consumer."""


class UpstreamFaults:
    """Carries a list of faults out on one server; safe for several threads. Give its methods to the server."""

    def __init__(self, faults: Iterable[UpstreamFault], *, seed: int, clock: JumpingClock) -> None:
        self.injected: Counter[str] = Counter()
        self.server: TrackingStreamServer | None = None
        self.clock = clock
        self.stopping = threading.Event()
        self._seed = seed
        self._lock = threading.Lock()
        self._waiting = deque(sorted(faults, key=lambda fault: fault.at))
        self._sent = 0
        self._connections = 0
        self._refusals: deque[HTTPStatus] = deque()
        self._token_refusals = 0
        self._repeat = False

    @property
    def done(self) -> bool:
        """Whether every fault has happened."""
        with self._lock:
            return not self._waiting and not self._refusals and not self._token_refusals

    def body(self, connection: socket.socket, *, gzip: bool) -> Body:
        """Make a body that fails as planned: a server's `body`."""
        with self._lock:
            self._connections += 1
            chance = random.Random(f"{self._seed}/{self._connections}")
            repeat, self._repeat = self._repeat, False
        return FaultyBody(connection, self, chance, gzip=gzip, repeat=repeat)

    def refuse(self, query: str) -> HTTPStatus | None:
        """Say with which status a request is refused, if it is: a server's `refuse`."""
        with self._lock:
            if self._refusals:
                return self._refusals.popleft()
            if self._token_refusals and "position_token=" in query and not query.endswith(("BEGINNING", "LATEST")):
                self._token_refusals -= 1
                return HTTPStatus.BAD_REQUEST
        return None

    def take(self, lines: int) -> tuple[int, UpstreamFault | None]:
        """Note that so many lines are about to be sent; return after how many of them which fault comes."""
        with self._lock:
            if not self._waiting or self._waiting[0].at > self._sent + lines:
                self._sent += lines
                return lines, None
            fault = self._waiting.popleft()
            before = max(0, fault.at - self._sent)
            self._sent += before
            self.injected[fault.name] += 1
            return before, fault

    def prepare(self, fault: UpstreamFault) -> None:
        """Prepare what the connections that follow will meet; the current one has been closed."""
        if fault.kind is UpstreamKind.NOT_LISTENING and self.server is not None:
            self.server.refuse_connections(fault.seconds)
        with self._lock:
            if fault.kind is UpstreamKind.STATUS and fault.status is not None:
                self._refusals.extend([fault.status] * fault.count)
            if fault.kind is UpstreamKind.TOKEN_REFUSED:
                self._token_refusals = _TOKEN_REFUSALS
            self._repeat |= fault.kind is UpstreamKind.REPEATS
