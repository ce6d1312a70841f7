"""The source interface of a run; another kind of source is one more class of each of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from local.audit.envelope import StoredRecord
    from local.faults.live import LiveFaults
    from local.source.address import StreamAddress


class Source(Protocol):
    """What the command line asks for: `speed` in simulated seconds a second, `token_interval` in seconds.

    `is_of_now` is whether the updates' times are those of the machine's clock, `notes` what a person should know.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102 -- the class says what they are

    @property
    def speed(self) -> float: ...  # noqa: D102

    @property
    def rate(self) -> float | None:
        """Updates a second, by the clock on the wall; None where nobody knows."""

    @property
    def token_interval(self) -> float: ...  # noqa: D102

    @property
    def endless(self) -> bool: ...  # noqa: D102

    @property
    def is_of_now(self) -> bool: ...  # noqa: D102

    @property
    def parameters(self) -> Mapping[str, str]:
        """The template's parameters that the stack needs to read it."""

    @property
    def notes(self) -> Sequence[str]: ...  # noqa: D102

    def serve(
        self, duration: float | None, tell: Callable[[str], None], faults: LiveFaults | None = None, /
    ) -> AbstractContextManager[SourceStream]:
        """Return the stream of one run, of so many simulated seconds; `tell` prints a line for a person."""


class SourceStream(Protocol):
    """A source for one run. What is not known of somebody else's stream is None."""

    address: StreamAddress
    finished: threading.Event

    @property
    def kind(self) -> str: ...  # noqa: D102 -- as the source's

    @property
    def failure(self) -> BaseException | None:
        """What ended it before its end."""

    @property
    def sent(self) -> int | None:
        """How many lines were sent so far."""

    @property
    def connections(self) -> int | None:
        """How many connections were accepted so far."""

    @property
    def first_update_at(self) -> float | None:
        """When the first update was sent, in the local clock's seconds."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Send no more."""

    def position(self, token: str, /) -> int:
        """Return how many lines stand before a position token, or raise a `TokenError`."""

    def lines(self, stored: Iterable[StoredRecord], /) -> Sequence[bytes]:
        """Return the lines that were sent; `stored` is what is in Kinesis."""
