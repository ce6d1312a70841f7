"""Packs updates of one shard into envelopes (the format: `common.envelope`), with the header that filters read.

A filter sees the header in place of the updates: each field's name has an array of the values that the updates hold
there, and a pattern matches an array when it matches any element. So whatever matches an update matches its envelope,
and the function that receives the envelope looks at each update again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import pybase64
from backports.zstd import CompressionParameter, ZstdCompressor
from msgspec.structs import astuple

from common import envelope as wire
from common.event_pattern import LARGEST_NUMBER
from common.icao_address import normalized
from common.update_decoder import UpdateDecoder
from consumer.stream.messages import StreamUpdate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

SQUAWK = "squawk"
"""Listed as it is given: a feed may write the code as a number."""

VALUES = (
    "icao_address",
    "callsign",
    SQUAWK,
    "collection_type",
    "airline_iata",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
"""Fields of which the header lists every value there is."""

RANGES = ("altitude_baro", "speed", "vertical_rate")
"""Fields of which the header holds the lowest and the highest value that patterns compare."""

ON_GROUND = "on_ground"
"""Listed, too; an update that does not say counts as false, as it does for the alert rules."""

COMPRESSION: dict[int, int] = {CompressionParameter.compression_level: 1, CompressionParameter.window_log: 18}
"""Of zstd. Level 3 takes a sixth longer, and makes envelopes of 640 generated updates half a percent smaller. Looking
back over 256 KB rather than over all 512 takes a sixth less, since those are in the processor's cache, and makes them a
quarter of a percent larger."""

LOOSE_BYTES = 48 * 1024
"""Updates that are held until they are taken into the header, some 60 of them: one by one that would cost thrice as
much, and many more would leave the processor's cache before."""

type _Text = Annotated[str, msgspec.Meta(max_length=64)]
"""Longer texts are no values of these fields, and must not fill a record."""


class HeaderedUpdate(StreamUpdate, gc=False):
    """A target update with the fields of the header."""

    callsign: _Text | None = None
    squawk: _Text | int | float | None = None
    collection_type: _Text | None = None
    airline_iata: _Text | None = None
    aircraft_type_icao: _Text | None = None
    departure_airport_icao: _Text | None = None
    arrival_airport_icao: _Text | None = None
    altitude_baro: int | float | None = None
    speed: int | float | None = None
    vertical_rate: int | float | None = None
    on_ground: bool | None = None


_PLACES = [HeaderedUpdate.__struct_fields__.index(name) for name in (*VALUES, *RANGES, ON_GROUND)]

_compressor = ZstdCompressor(options=COMPRESSION)  # kept: a new one for each envelope would be a megabyte to fault in
_encode = msgspec.json.Encoder().encode
_decoder = UpdateDecoder(HeaderedUpdate)
decode = _decoder.fast
"""Makes an update of its JSON object, if every field is what the API gives there."""
decode_leniently = _decoder.decode
"""Makes an update of its JSON object; a field that is of another type, or too long, counts as absent."""


class Packed(NamedTuple):
    """A record of so many updates, of `read_bytes` in all; with a `key` it is one update that no envelope holds."""

    data: bytes
    updates: int
    read_bytes: int
    key: str | None = None


class Header:
    """What filters need of updates: an array a field, left out where no update has a value."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: tuple[set[Any], ...] = tuple(set() for _ in (*VALUES, *RANGES, ON_GROUND))

    def add(self, updates: Sequence[HeaderedUpdate]) -> None:
        """Take in what further updates, at least one, hold.

        A column at a time: going by attribute would take a fifth more. Numbers go into sets as well: few of them
        differ, and taking the lowest and highest of a set costs less than leaving absent ones out of many.
        """
        columns = list(zip(*map(astuple, updates), strict=True))
        for found, place in zip(self._found, _PLACES, strict=True):
            found.update(columns[place])

    def arrays(self) -> dict[str, Collection[Any]]:
        """Return what is in the arrays, by the names of their fields; what is listed is in no order."""
        arrays: dict[str, Collection[Any]] = {}
        for name, found in zip((*VALUES, *RANGES), self._found, strict=False):
            found.discard(None)
            if found:
                arrays[name] = _ends(found) if name in RANGES else found
        return arrays | {ON_GROUND: sorted({state is True for state in self._found[-1]})}


def _ends(numbers: Collection[float]) -> list[float]:
    """Return the lowest and the highest number, one if they are equal.

    A number beyond `LARGEST_NUMBER` is compared with none, so it must not take the place of one that is; where there
    are only such, they still say that the field exists.
    """
    low, high = min(numbers), max(numbers)
    if low < -LARGEST_NUMBER or high > LARGEST_NUMBER:
        compared = [number for number in numbers if abs(number) <= LARGEST_NUMBER] or numbers
        low, high = min(compared), max(compared)
    return [low] if low == high else [low, high]


class Content:
    """Updates on their way into an envelope: their lines and their header.

    Lines are joined as they come, and only what the header needs is kept of each update, so that the next updates'
    memory is still in the processor's cache; a whole envelope of objects for each shard would not be.
    """

    __slots__ = ("_header", "_loose", "_parts", "_taken_in", "count", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        """Bytes of the updates as received, each with a line end."""
        self._parts: list[bytes] = []
        self._header = Header()
        self._loose: list[HeaderedUpdate] = []
        self._taken_in = 0

    def add(self, updates: Sequence[HeaderedUpdate]) -> None:
        """Write further updates, at least one, behind the others."""
        lines = b"\n".join([update.data for update in updates])
        self._parts.append(lines)
        self.count += len(updates)
        self.size += len(lines) + 1
        self._loose += updates
        if self.size - self._taken_in >= LOOSE_BYTES:
            self._take_in()

    def _take_in(self) -> None:
        if self._loose:
            self._header.add(self._loose)
            self._loose.clear()
            self._taken_in = self.size

    def lines(self) -> bytes:
        """Return the updates as received, each with a line end."""
        return b"\n".join([*self._parts, b""])

    def updates(self) -> list[HeaderedUpdate]:
        """Return the updates, made again of their lines."""
        return _updates(self.lines())

    def pack(self, shard_id: str, most_bytes: int) -> Iterator[Packed]:
        """Yield envelopes of at most `most_bytes` that hold the updates in their order.

        One update alone that is too large for an envelope is yielded as it is, with its line end.
        """
        self._take_in()
        lines = self.lines()
        compressed = pybase64.b64encode(_compressor.compress(lines, ZstdCompressor.FLUSH_FRAME))
        beginning = {"v": wire.VERSION, "n": self.count, "shard": shard_id} | self._header.arrays()
        record = b'%b,"z":"%b"}\n' % (_encode(beginning)[:-1], compressed)
        read_bytes = self.size - self.count
        if len(record) <= most_bytes:
            yield Packed(record, self.count, read_bytes)
        elif self.count == 1:
            yield Packed(lines, 1, read_bytes, normalized(self.updates()[0].icao_address))
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
        update = decode_leniently(data)
        update.data = data
        updates.append(update)
    return updates
