"""Stores a part's aircraft as numbers: arrays for the keys, and two rows of bytes per aircraft.

Every invocation decodes and encodes the whole state. For arrays and bytes that is a copy of memory; for 5,000 objects
of 30 fields each it was 25 ms each way. In this room, `layout` says how the rows are laid out, `folding` writes
the columns, `window_part` reads them, `codec` carries them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from struct import calcsize, pack
from typing import TYPE_CHECKING

from aggregator.state import byte_shuffle
from aggregator.state.keys import order
from aggregator.state.layout import (
    BLOCK,
    BY_AIRCRAFT,
    FIRST,
    FIRST_POSITION,
    FIRST_SEEN,
    FIRST_SEEN_ROW,
    LOG,
    MASK_BITS,
    MAX_LISTED,
    NEW_FIRST_SEEN,
    NEW_ROW,
    NO_DELAY,
    NO_NAMES,
    NOWHERE,
    ROW,
    SEVERAL,
    TEXT_BYTES,
    WIDE_LOG,
    packed_bytes,
    unpack_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aggregator.state.spots import Stray


@dataclass(slots=True)
class Columns:
    """All data of a part's aircraft."""

    log: dict[str, array[int]] = field(default_factory=lambda: {name: array(code) for name, code in LOG.items()})
    chunks: list[bytes] = field(default_factory=list, compare=False)
    """The log's full chunks as `aggregator.state.packing` packed them."""
    rows: bytearray = field(default_factory=bytearray)
    """A `ROW` for each aircraft."""
    first_seen_rows: bytearray = field(default_factory=bytearray)
    """A `FIRST_SEEN_ROW` for each aircraft."""
    index: dict[str, int] = field(default_factory=dict)
    """Each address's place among the rows."""
    names: list[bytes] = field(default_factory=list)
    """The newest update's `NAMES` and the code of its airline, packed."""
    codes: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    """The part's squawks."""
    types: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    """The part's collection types."""
    airlines: dict[tuple[str | None, str | None], int] = field(default_factory=lambda: {(None, None): 0})
    """The part's airlines, `AIRLINE` each."""
    callsigns: dict[int, list[str]] = field(default_factory=dict)
    """Callsigns seen of an aircraft, where they are others than just the newest update's."""
    squawks: dict[int, list[int]] = field(default_factory=dict)
    more_types: dict[int, list[int]] = field(default_factory=dict)
    strays: dict[int, Stray] = field(default_factory=dict)
    """The position beside an aircraft's last one, where there is one (`aggregator.state.track`)."""
    # What hardly ever changes, as `aggregator.state.packing` packed it, names by `BLOCK`; None from the next change on.
    packed_names: list[bytes | None] = field(default_factory=list, repr=False, compare=False)
    packed_lists: bytes | None = field(default=None, repr=False, compare=False)
    packed_first_seen: bytes | None = field(default=None, repr=False, compare=False)
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
        self.chunks.clear()
        self._counted.clear()

    @property
    def ticks_per_second(self) -> int:
        """How many of the log's ticks a second has."""
        return 1_000_000 if self.is_wide else 1_000

    def order(self, key: int) -> tuple[int, int, int]:
        """Return what a key is compared by: the greater, the newer."""
        delays = self.log["delays"]
        return order(self.log["times"][key], delays[key], NO_DELAY[delays.typecode])

    def append_keys(self, times: Sequence[int], delays: Sequence[int]) -> None:
        """Append times and delays to the log."""
        for name, column in (("times", times), ("delays", delays)):
            log = self.log[name]
            log.frombytes(pack(f"={len(column)}{log.typecode}", *column))

    def column(self, name: str) -> array[int]:
        """Return one field of all aircraft, in the order of their places, by copies of memory alone."""
        fields, rows = (BY_AIRCRAFT, self.rows) if name in BY_AIRCRAFT else (FIRST_SEEN, self.first_seen_rows)
        codes = [code for code, _ in fields.values()]
        number = list(fields).index(name)
        at = calcsize("<" + "".join(codes[:number]))
        return byte_shuffle.column(rows, calcsize("<" + "".join(codes)), at, codes[number])

    def row(self, place: int) -> dict[str, int]:
        """Return an aircraft's rows by the names of their fields."""
        row = dict(zip(BY_AIRCRAFT, ROW.unpack_from(self.rows, place * ROW.size), strict=True))
        return row | self.first_seen(place)

    def first_seen(self, place: int) -> dict[str, int]:
        """Return what is in an aircraft's other row, by the names of its fields."""
        values = FIRST_SEEN_ROW.unpack_from(self.first_seen_rows, place * FIRST_SEEN_ROW.size)
        return dict(zip(FIRST_SEEN, values, strict=True))

    def begin(self, place: int, key: int) -> None:
        """Write an aircraft's first key."""
        self.packed_first_seen = None
        FIRST.pack_into(self.first_seen_rows, place * FIRST_SEEN_ROW.size, key)

    def begin_track(self, place: int, key: int, latitude: int, longitude: int) -> None:
        """Write an aircraft's first position."""
        self.packed_first_seen = None
        FIRST_POSITION.pack_into(
            self.first_seen_rows, place * FIRST_SEEN_ROW.size + FIRST.size, key, latitude, longitude
        )

    def count_late_position(self, place: int) -> None:
        """Count a position that is older than the last."""
        self._add(place, "late_positions", 1)

    def count_implausible(self, place: int, positions: int = 1) -> None:
        """Count a position that cannot be, or no longer count it."""
        self._add(place, "implausible_positions", positions)

    def _add(self, place: int, name: str, count: int) -> None:
        self.packed_first_seen = None
        values = self.first_seen(place)
        values[name] += count
        FIRST_SEEN_ROW.pack_into(self.first_seen_rows, place * FIRST_SEEN_ROW.size, *values.values())

    def stray(self, place: int, stray: Stray) -> None:
        """Keep a position beside an aircraft's last one."""
        self.packed_lists = None
        self.strays[place] = stray

    def add_aircraft(self, address: str) -> int:
        """Give a new aircraft its place, and return it."""
        self.rows += NEW_ROW
        self.first_seen_rows += NEW_FIRST_SEEN
        self.packed_first_seen = None
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
            grown += len(names)  # however long the ones before: they may have compressed to nothing
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

    def new_airline(self, airline: tuple[str | None, str | None]) -> int:
        """Give an airline that has none its code, and return it."""
        self.packed_lists = None
        code = self.airlines[airline] = len(self.airlines)
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
        """Whether this key of the aircraft was counted before; `newest` is the key of it that arrived last.

        The aircraft's keys are collected when first asked for, and from then on only the new ones: a feed that is late
        throughout costs a step per update, not a walk through the log.
        """
        times, delays, previous = self.log["times"], self.log["delays"], self.log["previous"]
        counted, until = self._counted.get(place) or (set(), NOWHERE)
        key = newest
        while key != until:
            counted.add((times[key], delays[key]))
            key = key - previous[key] if previous[key] else NOWHERE
        self._counted[place] = counted, newest
        return (time, delay) in counted
