"""One part of one shard's window: the updates it has counted, and the values of each aircraft's row.

Numbers are kept as whole multiples of a small unit, so that sums do not depend on the order of arrival and the state
stays small: readings in thousandths (of a foot, a knot, a foot per minute, a degree), positions in 1e-7 degrees
(about a centimetre), distances in 1e-5 nautical miles (about 2 cm). `aggregator.state.part_store` does the counting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from aggregator.events import batch
from aggregator.state.folding import Folded, fold
from aggregator.state.layout import (
    AIRLINE,
    BY_AIRCRAFT,
    GREATEST,
    LEAST,
    MASK_BITS,
    NAMES,
    NO_DELAY,
    NOT_SAID,
    NOWHERE,
    ROW,
    SEVERAL,
    unpack_names,
)
from aggregator.state.part_store import Columns
from common import recency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from aggregator.events.batch import Batch
    from common.target_update import TargetUpdate

LATEST_READINGS = ("altitude_baro", "speed", "vertical_rate", "heading")
LATEST_TEXTS = ("squawk", "collection_type", *NAMES, *AIRLINE)


class Instant(NamedTuple):
    """The times of a key: `timestamp` from the window's start, and `ingestion_time` from `timestamp`; microseconds.

    A key without ingestion time has no delay.
    """

    time: int
    has_ingestion_time: bool
    delay: int

    @property
    def order(self) -> tuple[int, ...]:
        """What it is compared by: the greater, the newer."""
        return recency.order(self.time, self.time + self.delay if self.has_ingestion_time else None)


class Spread(NamedTuple):
    """How many, sum, least and greatest of one reading, in thousandths of its unit; zeros where there is none."""

    readings: int
    total: int
    least: int
    greatest: int


class Position(NamedTuple):
    """Where an aircraft was, in 1e-7 degrees, and when."""

    at: Instant
    latitude: int
    longitude: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AircraftWindow:
    """The values of one aircraft in one part of a window, as its row has them.

    `latest_readings` and `latest_texts` are those of the newest update, in the order of `LATEST_READINGS` and
    `LATEST_TEXTS`.
    """

    updates: int
    first: Instant
    last: Instant
    altitude: Spread
    speed: Spread
    vertical_rate: Spread
    first_position: Position | None
    last_position: Position | None
    distance: int
    late_positions: int
    implausible_positions: int
    callsigns: list[str]
    squawks: list[str]
    collection_types: list[str]
    latest_readings: tuple[int | None, ...]
    latest_on_ground: bool | None
    latest_texts: tuple[str | None, ...]


@dataclass(slots=True)
class WindowPart:
    """One part of one shard's window, and the only place that decides whether an update is counted.

    `number` is 0 for the first part. `size_bound` is the most that the packed state takes, in bytes: for certain until
    the first measurement, by estimate from then on (`aggregator.state.splitting`).
    """

    origin: datetime
    number: int = 0
    size_bound: int = 0
    duplicates_ignored: int = 0
    undecodable: int = 0
    columns: Columns = field(default_factory=Columns, repr=False)

    @property
    def updates(self) -> int:
        """How many distinct updates were counted."""
        return len(self.columns.log["times"])

    @property
    def is_empty(self) -> bool:
        """Whether it has counted nothing."""
        return not (self.columns.index or self.undecodable or self.duplicates_ignored)

    def add(self, update: TargetUpdate) -> bool:
        """Count an update; return False if one of the same key was counted before."""
        return self.add_all(batch.of([update]), GREATEST).counted == 1

    def add_all(self, updates: Batch, limit: int) -> Folded:
        """Count updates until they end, or until `size_bound` exceeds `limit`; return what became of them."""
        folded = fold(self.columns, self.origin, updates, limit - self.size_bound)
        self.size_bound = limit - folded.room
        self.duplicates_ignored += folded.taken - folded.counted
        return folded

    @property
    def aircraft(self) -> Mapping[str, AircraftWindow]:
        """What is known of each aircraft, by address, in the order of arrival. Read out of the columns at each call."""
        return dict(self.read())

    def read(self) -> Iterator[tuple[str, AircraftWindow]]:
        """Yield the same one by one: thousands of them at a time are megabytes."""
        return _read(self.columns)


def _read(columns: Columns) -> Iterator[tuple[str, AircraftWindow]]:
    """Yield each aircraft's address and window."""
    counts = _counts(columns)
    squawks, types, airlines = list(columns.codes), list(columns.types), list(columns.airlines)
    times, delays = columns.log["times"], columns.log["delays"]

    unit, no_delay = 1 if columns.is_wide else 1_000, NO_DELAY[delays.typecode]

    def instant(key: int) -> Instant:
        delay = None if delays[key] == no_delay else delays[key] * unit
        return Instant(times[key] * unit, delay is not None, delay or 0)

    def position(key: int, latitude: int, longitude: int) -> Position | None:
        return None if key == NOWHERE else Position(instant(key), latitude, longitude)

    for address, place in columns.index.items():
        of = columns.row(place)
        updates = counts[place]
        names = unpack_names(columns.names[place])
        seen = columns.squawks[place] if of["squawk_seen"] == SEVERAL else [of["squawk_seen"]]
        type_codes = [code for code in range(min(len(types), MASK_BITS)) if of["types_seen"] >> code & 1]
        yield (
            address,
            AircraftWindow(
                updates=updates,
                first=instant(of["first"]),
                last=instant(of["last"]),
                altitude=_spread(of, "altitude", updates),
                speed=_spread(of, "speed", updates),
                vertical_rate=_spread(of, "vertical_rate", updates),
                first_position=position(of["first_position"], of["first_latitude"], of["first_longitude"]),
                last_position=position(of["last_position"], of["last_latitude"], of["last_longitude"]),
                distance=of["distance"],
                late_positions=of["late_positions"],
                implausible_positions=of["implausible_positions"],
                callsigns=_sorted(columns.callsigns.get(place) or names[:1]),
                squawks=_sorted(squawks[code] for code in seen),
                collection_types=_sorted(types[code] for code in (*type_codes, *columns.more_types.get(place, ()))),
                latest_readings=tuple(
                    None if value == LEAST else value
                    for value in (of["altitude"], of["speed"], of["vertical_rate"], of["heading"])
                ),
                latest_on_ground=None if of["on_ground"] == NOT_SAID else bool(of["on_ground"]),
                latest_texts=(squawks[of["squawk"]], types[of["collection_type"]], *names[:-1], *airlines[names[-1]]),
            ),
        )


def _sorted(texts: Iterable[str | None]) -> list[str]:
    return sorted(text for text in texts if text is not None)


def _spread(of: Mapping[str, int], name: str, updates: int) -> Spread:
    count = updates - of[f"{name}_missing"]
    if not count:
        return Spread(0, 0, 0, 0)
    return Spread(count, of[f"{name}_total"], of[f"{name}_least"], of[f"{name}_greatest"])


def _counts(columns: Columns) -> list[int]:
    """Return how many updates each aircraft has: as many as the log has keys of it."""
    previous, counts = columns.log["previous"], []
    newest_key = list(BY_AIRCRAFT).index("newest_key")
    for row in ROW.iter_unpack(columns.rows):
        count, key = 1, row[newest_key]
        while previous[key]:
            key -= previous[key]
            count += 1
        counts.append(count)
    return counts
