"""Binary layout of a part: fields and types, scales, the values that mean "none", and sizes."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READING_SCALE = 1_000
POSITION_SCALE = 10_000_000
DISTANCE_SCALE = 100_000

MAX_LISTED = 32
"""Distinct callsigns, squawks or collection types listed per aircraft and part; an aircraft has one or two of each,
and the bound keeps a broken feed from making a row too large for Firehose."""

LEAST, GREATEST = -(2**31), 2**31 - 1
"""Below and above every reading; the lower one means that there is no reading."""
NO_DELAY = {"i": LEAST, "q": -(2**63)}
"""The delay of a key without `ingestion_time`, by type of the column: it sorts before any other."""
NOWHERE = -1
"""An index for an entry that is not in the log."""
NOT_SAID = -1
"""Of `on_ground`, beside 0 and 1."""
SEVERAL = -1
"""In place of the code of the only squawk."""
MASK_BITS = 32
"""Collection types of a smaller code have their own bit."""

NAMES = (
    "callsign",
    "flight_number",
    "tail_number",
    "aircraft_type_icao",
    "departure_airport_icao",
    "arrival_airport_icao",
)
AIRLINE = ("airline_iata", "airline_name")
"""Of thousands of aircraft there are some hundred airlines: each pair of these has a code, which stands behind the
names."""
pack_names = msgspec.msgpack.Encoder().encode
unpack_names: Callable[[bytes], tuple[Any, ...]] = msgspec.msgpack.Decoder(
    tuple[(*(str | None for _ in NAMES), int)]  # type: ignore[misc]
).decode
NO_NAMES = pack_names((*(None for _ in NAMES), 0))

AIRCRAFT_BYTES = 400
"""Bound on what an aircraft adds to the packed state apart from keys and texts: its rows, 145 bytes, and what the
first one makes necessary."""
KEY_BYTES = 20
"""Bound on what a key adds by itself: its place in the log's columns. Most of it is left over for the row."""
STRAY_BYTES = 32
"""Bound on what a position adds that is kept beside the last one: whose it is, four numbers, and a header."""
TEXT_BYTES = 16
"""Bound on what a text adds beside its characters: headers, and whose it is."""

BLOCK = 1_024
"""Aircraft whose addresses and names are packed together, so that a name that changes costs a block's compression."""

LOG = {"times": "i", "delays": "i", "previous": "i"}
WIDE_LOG = {"times": "q", "delays": "q", "previous": "i"}
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
reads the head, and writes all of it; what only the first updates and late ones change is in `FIRST_SEEN`."""
FIRST_SEEN = {
    "first": ("i", NOWHERE),
    "first_position": ("i", NOWHERE),
    "first_latitude": ("i", 0),
    "first_longitude": ("i", 0),
    "late_positions": ("i", 0),
    "implausible_positions": ("i", 0),
}
"""An aircraft's other row."""


def _struct(fields: Mapping[str, tuple[str, int]]) -> Struct:
    return Struct("<" + "".join(code for code, _ in fields.values()))


def _new(fields: Mapping[str, tuple[str, int]]) -> bytes:
    return _struct(fields).pack(*(value for _, value in fields.values()))


NEW_ROW, NEW_FIRST_SEEN = _new(BY_AIRCRAFT), _new(FIRST_SEEN)
ROW, ROW_HEAD, ROW_LATEST = _struct(BY_AIRCRAFT), _struct(HEAD), _struct(LATEST)
FIRST_SEEN_ROW = _struct(FIRST_SEEN)
"""Rows as bytes. Reading one takes 0.3 us; with an array a field, each of its accesses took 0.03."""
FIRST, FIRST_POSITION = Struct("<i"), Struct("<iii")
"""What `FIRST_SEEN_ROW` begins with, and what comes next: by themselves, since a new aircraft needs no more."""

AIRCRAFT_WIDTH = ROW.size + FIRST_SEEN_ROW.size
"""What an aircraft's numbers take in all."""

SECOND_UPDATE_BYTES = AIRCRAFT_WIDTH
"""What an aircraft's second update adds beside its key. After the first one the numbers say most things twice or more
(least, greatest, total and latest are one number), and may have been measured at what little that compresses to; the
second makes them differ, and fills them."""


def packed_bytes(text: str) -> int:
    """Bound on a text's size in msgpack: 4 bytes a character in UTF-8 at most, and the header."""
    return (len(text) if text.isascii() else 4 * len(text)) + 5
