"""Order of snapshots of a shard, and of updates of an aircraft: which is newer."""

from __future__ import annotations

from typing import NamedTuple, Self

from live.errors import SnapshotError

NO_INGESTION = -(1 << 63)
"""In place of an ingestion time: before all of them."""

END_OF_WINDOW = 10**128 - 1
"""In place of a sequence number where a window has ended: after all of them, as many digits as a reader takes."""


class Order(NamedTuple):
    """The place of a snapshot among those of its shard: a later one is greater.

    A retried invocation writes what it knew: its window, its part, its last record. That must not replace a greater
    one.
    """

    window_start: int
    """Milliseconds since the epoch."""
    part: int
    sequence: int
    """The last record's sequence number. Kinesis's grow within a shard."""

    def text(self) -> str:
        """Return it as an S3 object's metadata holds it."""
        return f"{self.window_start}/{self.part}/{self.sequence}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `text` wrote.

        Raises
        ------
        SnapshotError
            It is something else.
        """
        numbers = text.split("/")
        if len(numbers) != len(cls._fields) or not all(number.isascii() and number.isdigit() for number in numbers):
            raise SnapshotError(f"order: {text[:80]!r}; expected window start, part and sequence number")
        return cls(*(int(number) for number in numbers))


class Freshness(NamedTuple):
    """The place of an update among those of its aircraft; milliseconds since the epoch.

    A measurement cannot be later than its ingestion: the earlier of the two times is when it was made. Among equals,
    the `timestamp` decides, then the ingestion time; an update without one comes before those that have one.
    """

    measured: int
    timestamp: int
    ingestion: int

    @classmethod
    def of(cls, timestamp: int, ingestion: int | None) -> Self:
        """Return an update's."""
        if ingestion is None:
            return cls(timestamp, timestamp, NO_INGESTION)
        return cls(min(timestamp, ingestion), timestamp, ingestion)
