"""A remote stream: the provider, or the simulator or feeder in a separate process.

A run that reads one knows what arrived, and not what was sent: what it can hold against each other begins in Kinesis.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local.audit.envelope import StoredRecord
    from local.faults.live import LiveFaults
    from local.source.address import StreamAddress


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A stream to read as it comes; `token_interval` in seconds, the API's."""

    address: StreamAddress
    token_interval: float = 15.0
    kind = "stream"
    speed = 1.0
    rate = None
    endless = True
    is_of_now = True
    parameters: ClassVar[dict[str, str]] = {}
    notes = ()

    def serve(
        self, duration: float | None, _tell: Callable[[str], None], _faults: LiveFaults | None = None
    ) -> RemoteStream:
        """Return the stream for one run of so many seconds, or without an end."""
        return RemoteStream(self.address, duration)


class RemoteStream:
    """Such a stream for as long as a run reads it."""

    kind = RemoteSource.kind
    failure = None
    sent = connections = first_update_at = None

    def __init__(self, address: StreamAddress, duration: float | None) -> None:
        self.address = address
        self.finished = threading.Event()
        self._timer = None if duration is None else threading.Timer(duration, self.finished.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """The run's time begins."""
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """The run's time is over."""
        if self._timer is not None:
            self._timer.cancel()
        self.finished.set()

    def position(self, _token: str) -> int:
        """Return 0: of somebody else's stream nobody knows how many lines stand before a token."""
        return 0

    def lines(self, stored: Iterable[StoredRecord]) -> list[bytes]:
        """Return the updates that are in Kinesis as the lines of a stream that sent just these."""
        return [b'{"target":' + one.data.strip() + b"}" for one in stored]
