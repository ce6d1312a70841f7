"""Packs updates of one shard into envelopes (the format: `common.envelope`), with the header that filters read.

A filter sees the header in place of the updates: under the name of a field stands an array of what the updates hold
there, and a pattern matches an array when it matches any element. So what matches an update matches its envelope, and
the function that gets the envelope looks at each update again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pybase64
from backports import zstd

from common import envelope as wire
from consumer.messages import TargetUpdate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VALUES = (
    "icao_address",
    "callsign",
    "squawk",
    "collection_type",
    "airline_iata",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
"""Fields of which the header lists every value there is."""

RANGES = ("altitude_baro", "speed", "vertical_rate")
"""Fields of which the header holds the lowest and the highest value."""

ON_GROUND = "on_ground"
"""Listed, too; an update that does not say counts as false, as it does for the alert rules."""

LEVEL = 1
"""Of zstd. Level 3 takes a sixth longer, and makes envelopes of 640 generated updates half a percent smaller."""

_LONGEST_TEXT = 64
"""Longer texts are no values of these fields, and must not fill a record."""

_NUMBERS = frozenset((int, float))


class HeaderedUpdate(TargetUpdate, gc=False):
    """A target update with the fields of the header, of whatever type the line gives them."""

    callsign: Any = None
    squawk: Any = None
    collection_type: Any = None
    airline_iata: Any = None
    aircraft_type_icao: Any = None
    departure_airport_icao: Any = None
    arrival_airport_icao: Any = None
    altitude_baro: Any = None
    speed: Any = None
    vertical_rate: Any = None
    on_ground: Any = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(HeaderedUpdate).decode


class Packed(NamedTuple):
    """A record of so many updates, of `read_bytes` in all; with a `key` it is one update that no envelope holds."""

    data: bytes
    updates: int
    read_bytes: int
    key: str | None = None


class Header:
    """What filters need of updates: an array a field, left out where no update has a value."""

    __slots__ = ("_ranges", "_states", "_texts")

    def __init__(self) -> None:
        self._texts: list[dict[Any, None]] = [{} for _ in VALUES]
        self._ranges: list[list[Any]] = [[] for _ in RANGES]
        self._states: set[bool] = set()

    def add(self, updates: Sequence[HeaderedUpdate]) -> None:
        """Take in what further updates hold.

        A column at a time, and each by the name of its field: that is four times as fast as going by a list of names.
        """
        columns = (
            [update.icao_address for update in updates],
            [update.callsign for update in updates],
            [update.squawk for update in updates],
            [update.collection_type for update in updates],
            [update.airline_iata for update in updates],
            [update.aircraft_type_icao for update in updates],
            [update.departure_airport_icao for update in updates],
            [update.arrival_airport_icao for update in updates],
        )
        for texts, column in zip(self._texts, columns, strict=True):
            try:
                texts |= dict.fromkeys(column)  # noqa: PLW2901 - changed where it stands
            except TypeError:  # an object or an array, where the API sends none
                texts |= dict.fromkeys(value for value in column if isinstance(value, str))  # noqa: PLW2901
        numbers = (
            [update.altitude_baro for update in updates],
            [update.speed for update in updates],
            [update.vertical_rate for update in updates],
        )
        for bounds, column in zip(self._ranges, numbers, strict=True):
            bounds[:] = _bounds(bounds + column)
        self._states.update([update.on_ground is True for update in updates])

    def arrays(self) -> dict[str, list[Any]]:
        """Return the arrays by the names of their fields."""
        texts = [
            [text for text in found if isinstance(text, str) and len(text) <= _LONGEST_TEXT] for found in self._texts
        ]
        found = dict(zip((*VALUES, *RANGES, ON_GROUND), (*texts, *self._ranges, sorted(self._states)), strict=True))
        return {name: values for name, values in found.items() if values}


def _bounds(column: list[Any]) -> list[Any]:
    numbers = [number for number in column if type(number) in _NUMBERS]
    return list(dict.fromkeys((min(numbers), max(numbers)))) if numbers else []


class Content:
    """Updates on their way into an envelope: their lines and their header.

    The updates themselves are let go of as soon as they are written here, so that the memory of the next ones is still
    in the processor's cache: a shard's whole envelope of objects would not be.
    """

    __slots__ = ("_header", "count", "lines")

    def __init__(self) -> None:
        self.count = 0
        self.lines = bytearray()
        """The updates as received, each with a line end."""
        self._header = Header()

    def add(self, updates: Sequence[HeaderedUpdate]) -> None:
        """Write further updates, at least one, behind the others."""
        self.count += len(updates)
        self.lines += b"\n".join([update.data for update in updates])
        self.lines += b"\n"
        self._header.add(updates)

    def updates(self) -> list[HeaderedUpdate]:
        """Return the updates, made again of their lines."""
        return _updates(bytes(self.lines))

    def pack(self, shard_id: str, most_bytes: int) -> Iterator[Packed]:
        """Yield envelopes of at most `most_bytes` that hold the updates in their order.

        One update alone that is too large for an envelope is yielded as it is, with its line end.
        """
        compressed = pybase64.b64encode(zstd.compress(self.lines, LEVEL))
        beginning = {"v": wire.VERSION, "n": self.count, "shard": shard_id} | self._header.arrays()
        record = b'%b,"z":"%b"}\n' % (_encode(beginning)[:-1], compressed)
        read_bytes = len(self.lines) - self.count
        if len(record) <= most_bytes:
            yield Packed(record, self.count, read_bytes)
        elif self.count == 1:
            yield Packed(bytes(self.lines), 1, read_bytes, self.updates()[0].icao_address)
        else:
            updates, half = self.updates(), self.count // 2
            yield from pack(updates[:half], shard_id, most_bytes)
            yield from pack(updates[half:], shard_id, most_bytes)


def pack(updates: Sequence[HeaderedUpdate], shard_id: str, most_bytes: int) -> Iterator[Packed]:
    """Yield what `Content` makes of these updates alone."""
    content = Content()
    content.add(updates)
    return content.pack(shard_id, most_bytes)


def unpack(record: bytes, shard_id: str) -> list[HeaderedUpdate]:
    """Return the updates of a record that `pack` made for this shard."""
    return _updates(wire.lines(record, shard_id)[0] if wire.is_envelope(record) else record)


def _updates(lines: bytes) -> list[HeaderedUpdate]:
    updates = []
    for data in lines.split(b"\n")[:-1]:
        update = _decode(data)
        update.data = data
        updates.append(update)
    return updates
