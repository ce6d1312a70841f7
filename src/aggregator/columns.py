"""What is known of a part's aircraft, as numbers in few places: arrays for the keys, and two rows of bytes each.

Every invocation decodes and encodes the whole state. For arrays and bytes that is a copy of memory; for 5,000 objects
of 30 fields each it was 25 ms each way. `aggregator.folding` writes the columns, `aggregator.window` reads them,
`aggregator.state_codec` carries them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from struct import Struct, pack
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

READING_SCALE = 1_000
POSITION_SCALE = 10_000_000
DISTANCE_SCALE = 100_000

MAX_LISTED = 32
"""Distinct callsigns, squawks or collection types listed per aircraft and part; an aircraft has one or two of each,
and the bound keeps a broken feed from making a row too large for Firehose."""

LEAST, GREATEST = -(2**31), 2**31 - 1
"""Below and above every reading; the lower one stands for a reading that is not there."""
NO_DELAY = {"i": LEAST, "q": -(2**63)}
"""What stands for the delay of a key without `ingestion_time`, by type of the column: it sorts before any other."""
NOWHERE = -1
"""A place in the log that there is none of."""
NOT_SAID = -1
"""Of `on_ground`, beside 0 and 1."""
SEVERAL = -1
"""In place of the code of the only squawk."""
MASK_BITS = 32
"""Collection types of a smaller code have a bit of their own."""

NAMES = (
    "callsign",
    "flight_number",
    "tail_number",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
pack_names = msgspec.msgpack.Encoder().encode
unpack_names = msgspec.msgpack.Decoder(tuple[str | None, ...]).decode
NO_NAMES = pack_names((None,) * len(NAMES))

AIRCRAFT_BYTES = 400
"""Bound on what an aircraft adds to the packed state apart from keys and texts: its rows, 141 bytes, and what the
first one makes necessary."""
KEY_BYTES = 20
"""Bound on what a key adds by itself: its place in the log's columns. Most of it is left over for the row."""
TEXT_BYTES = 16
"""Bound on what a text adds beside its characters: headers, and whose it is."""

BLOCK = 1_024
"""Aircraft whose addresses and names are packed together, so that a name that changes costs a block's compression."""

LOG = {"times": "i", "delays": "i", "back": "i"}
WIDE_LOG = {"times": "q", "delays": "q", "back": "i"}
"""A key each, in the order of arrival: `timestamp` from the window's start, `ingestion_time` from `timestamp`, and how
many places before stands the same aircraft's previous key; 0 if there is none. Times are whole milliseconds, as the
feed's are; with the first key that these cannot tell exactly the log turns wide, and holds microseconds."""

HEAD = {
    # Codes of texts; 0 is no text.
    "squawk_seen": ("i", 0),  # the only one, or SEVERAL: then `squawks` has them
    "types_seen": ("I", 1),  # a bit each; `more_types` has those of a code that has no bit
    "newest_key": ("i", NOWHERE),  # the one that arrived last
    "last": ("i", NOWHERE),
    "altitude_missing": ("i", 0),
    "altitude_total": ("q", 0),
    "altitude_least": ("i", GREATEST),
    "altitude_greatest": ("i", LEAST),
    "speed_missing": ("i", 0),
    "speed_total": ("q", 0),
    "speed_least": ("i", GREATEST),
    "speed_greatest": ("i", LEAST),
    "vertical_rate_missing": ("i", 0),
    "vertical_rate_total": ("q", 0),
    "vertical_rate_least": ("i", GREATEST),
    "vertical_rate_greatest": ("i", LEAST),
    "last_position": ("i", NOWHERE),
    "last_latitude": ("i", 0),
    "last_longitude": ("i", 0),
    "distance": ("q", 0),
}
LATEST = {
    "altitude": ("i", LEAST),
    "speed": ("i", LEAST),
    "vertical_rate": ("i", LEAST),
    "heading": ("i", LEAST),
    "on_ground": ("b", NOT_SAID),
    "squawk": ("i", 0),
    "collection_type": ("i", 0),
}
"""Of the newest update."""
BY_AIRCRAFT = HEAD | LATEST
"""An aircraft's row: each field's type, as `struct` and `array` name it, and what a new aircraft starts with. An update
reads the head, and writes all of it; what only the first updates and late ones change stands in `BEGINNING`."""
BEGINNING = {
    "first": ("i", NOWHERE),
    "first_position": ("i", NOWHERE),
    "first_latitude": ("i", 0),
    "first_longitude": ("i", 0),
    "late_positions": ("i", 0),
}
"""An aircraft's other row."""


def _struct(fields: Mapping[str, tuple[str, int]]) -> Struct:
    return Struct("<" + "".join(code for code, _ in fields.values()))


def _new(fields: Mapping[str, tuple[str, int]]) -> bytes:
    return _struct(fields).pack(*(value for _, value in fields.values()))


_NEW_ROW, _NEW_BEGINNING = _new(BY_AIRCRAFT), _new(BEGINNING)
ROW, ROW_HEAD, BEGINNING_ROW = _struct(BY_AIRCRAFT), _struct(HEAD), _struct(BEGINNING)
"""Rows as bytes. Reading one takes 0.3 us; with an array a field, each of its accesses took 0.03."""
_FIRST, _FIRST_POSITION = Struct("<i"), Struct("<iii")
"""What `BEGINNING_ROW` begins with, and what comes next: by themselves, since a new aircraft needs no more."""

AIRCRAFT_WIDTH = ROW.size + BEGINNING_ROW.size
"""What an aircraft's numbers take in all."""

SECOND_UPDATE_BYTES = AIRCRAFT_WIDTH
"""What an aircraft's second update adds beside its key. After the first one the numbers say most things twice or more
(least, greatest, total and latest are one number), and may have been measured at what little that compresses to; the
second makes them differ, and fills them."""


@dataclass(slots=True)
class Columns:
    """All that is known of a part's aircraft."""

    log: dict[str, array[int]] = field(default_factory=lambda: {name: array(code) for name, code in LOG.items()})
    stretches: list[bytes] = field(default_factory=list, compare=False)
    """The log's beginning as `aggregator.state_codec` packed it."""
    rows: bytearray = field(default_factory=bytearray)
    """A `ROW` for each aircraft."""
    beginnings: bytearray = field(default_factory=bytearray)
    """A `BEGINNING_ROW` for each aircraft."""
    index: dict[str, int] = field(default_factory=dict)
    """Each address's place among the rows."""
    names: list[bytes] = field(default_factory=list)
    """The newest update's `NAMES`, packed."""
    codes: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    """The part's squawks."""
    types: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    """The part's collection types."""
    callsigns: dict[int, list[str]] = field(default_factory=dict)
    """Callsigns seen of an aircraft, where they are others than just the newest update's."""
    squawks: dict[int, list[int]] = field(default_factory=dict)
    more_types: dict[int, list[int]] = field(default_factory=dict)
    # What hardly ever changes, as `aggregator.state_codec` packed it, names by `BLOCK`; None from the next change on.
    packed_names: list[bytes | None] = field(default_factory=list, repr=False, compare=False)
    packed_lists: bytes | None = field(default=None, repr=False, compare=False)
    packed_beginnings: bytes | None = field(default=None, repr=False, compare=False)
    _counted: dict[int, tuple[set[tuple[int, int]], int]] = field(default_factory=dict, repr=False, compare=False)
    """Keys of the aircraft that were asked for, up to which place in the log."""

    @property
    def is_wide(self) -> bool:
        """Whether the log holds microseconds."""
        return self.log["times"].typecode == WIDE_LOG["times"]

    def widen(self) -> None:
        """Turn the log's milliseconds into microseconds."""
        narrow, none = NO_DELAY["i"], NO_DELAY["q"]
        self.log["times"] = array("q", [time * 1_000 for time in self.log["times"]])
        self.log["delays"] = array("q", [none if delay == narrow else delay * 1_000 for delay in self.log["delays"]])
        self.stretches.clear()
        self._counted.clear()

    def append_keys(self, times: Sequence[int], delays: Sequence[int]) -> None:
        """Append times and delays to the log."""
        for name, column in (("times", times), ("delays", delays)):
            log = self.log[name]
            log.frombytes(pack(f"={len(column)}{log.typecode}", *column))

    def row(self, place: int) -> dict[str, int]:
        """Return an aircraft's rows by the names of their fields."""
        row = dict(zip(BY_AIRCRAFT, ROW.unpack_from(self.rows, place * ROW.size), strict=True))
        return row | self.beginning(place)

    def beginning(self, place: int) -> dict[str, int]:
        """Return what stands in an aircraft's other row, by the names of its fields."""
        values = BEGINNING_ROW.unpack_from(self.beginnings, place * BEGINNING_ROW.size)
        return dict(zip(BEGINNING, values, strict=True))

    def begin(self, place: int, key: int) -> None:
        """Write an aircraft's first key."""
        self.packed_beginnings = None
        _FIRST.pack_into(self.beginnings, place * BEGINNING_ROW.size, key)

    def begin_track(self, place: int, key: int, latitude: int, longitude: int) -> None:
        """Write an aircraft's first position."""
        self.packed_beginnings = None
        _FIRST_POSITION.pack_into(self.beginnings, place * BEGINNING_ROW.size + _FIRST.size, key, latitude, longitude)

    def count_late_position(self, place: int) -> None:
        """Count a position that is older than the last."""
        self.packed_beginnings = None
        values = self.beginning(place)
        values["late_positions"] += 1
        BEGINNING_ROW.pack_into(self.beginnings, place * BEGINNING_ROW.size, *values.values())

    def add_aircraft(self, address: str) -> int:
        """Give a new aircraft its place, and return it."""
        self.rows += _NEW_ROW
        self.beginnings += _NEW_BEGINNING
        self.packed_beginnings = None
        self.names.append(NO_NAMES)
        place = self.index[address] = len(self.index)
        if place % BLOCK == 0:
            self.packed_names.append(None)
        self.packed_names[-1] = None
        return place

    def name(self, place: int, names: bytes, *, is_newest: bool) -> int:
        """Take names other than the newest update's so far; return the bytes they may add to the state."""
        self.packed_lists = self.packed_names[place // BLOCK] = None
        known = self.names[place]
        before, callsign = unpack_names(known)[0], unpack_names(names)[0]
        seen = self.callsigns.pop(place, None) or ([] if before is None else [before])
        if callsign is not None and callsign not in seen and len(seen) < MAX_LISTED:
            seen.append(callsign)
        grown = 0
        if is_newest:
            self.names[place] = names
            grown += max(0, len(names) - len(known))
            before = callsign
        if seen != ([] if before is None else [before]):
            self.callsigns[place] = seen
            grown += TEXT_BYTES + sum(map(packed_bytes, seen))
        return grown

    def new_code(self, codes: dict[str | None, int], text: str | None) -> int:
        """Give a text that has none its code, in `codes` or `types`, and return it."""
        self.packed_lists = None
        code = codes[text] = len(codes)
        return code

    def see_squawk(self, place: int, code: int, only: int) -> tuple[int, int]:
        """List a squawk that is not the only one seen; return the new `squawk_seen`, and the bytes it may add."""
        if not only:
            return code, 0
        self.packed_lists = None
        seen = self.squawks.setdefault(place, [only])
        if code in seen or len(seen) >= MAX_LISTED:
            return SEVERAL, 0
        seen.append(code)
        return SEVERAL, 2 * TEXT_BYTES

    def see_type(self, place: int, code: int, mask: int) -> tuple[int, int]:
        """List a collection type whose bit is not set; return the new mask, and the bytes it may add."""
        others = self.more_types.get(place, [])
        if code in others or mask.bit_count() - 1 + len(others) >= MAX_LISTED:
            return mask, 0
        if code < MASK_BITS:
            return mask | 1 << code, 0
        self.packed_lists = None
        self.more_types[place] = [*others, code]
        return mask, TEXT_BYTES

    def has_key(self, place: int, newest: int, time: int, delay: int) -> bool:
        """Whether a key of the aircraft, whose key that arrived last is `newest`, was counted before.

        Its keys are collected when first asked for, and only what is new afterwards: a feed that is late throughout
        costs a step per update, not a walk through the log.
        """
        times, delays, back = self.log["times"], self.log["delays"], self.log["back"]
        counted, until = self._counted.get(place) or (set(), NOWHERE)
        key = newest
        while key != until:
            counted.add((times[key], delays[key]))
            key = key - back[key] if back[key] else NOWHERE
        self._counted[place] = counted, newest
        return (time, delay) in counted


def packed_bytes(text: str) -> int:
    """Bound on a text's size in msgpack: 4 bytes a character in UTF-8 at most, and the header."""
    return (len(text) if text.isascii() else 4 * len(text)) + 5
