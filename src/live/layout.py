"""Binary layout of a snapshot: its prefix, kinds, columns, and the bounds that readers enforce."""

from __future__ import annotations

from struct import Struct

MAGIC = b"LIVE"
VERSION = 1
POSITIONS, IDENTITIES = 1, 2
"""The kinds of object."""

PREFIX = Struct("<4sBBHIII")
"""`MAGIC`, version, kind, 0, the deflated header's size, its inflated size, its CRC-32; then header and blocks."""

BLOCK_SIZE = 256
"""Aircraft in a block. Half as many take 0.4 bytes an aircraft more, twice as many make a view of a city dearer."""

COLUMNS = (
    "icao_address",
    "measured",
    "ahead",
    "delay",
    "position_age",
    "latitude",
    "longitude",
    "altitude",
    "speed",
    "vertical_rate",
    "heading",
    "flags",
)
"""A block's columns in their order; `docs/design.md` has units and meanings."""

PLANES = 4
"""Bytes that a column's numbers have at most."""

TEXT_ADDRESS = 1 << 24
"""Addresses from here on are places in the header's `addresses`: what is not six upper-case hexadecimal digits."""

DEGREE = 100_000
"""Units of latitude and longitude in a degree: 1.1 m, below the 5 m that ADS-B itself resolves."""
BOX_DEGREE = 100
"""Units of a block's box in a degree."""
TENTHS = 10
"""Units of heading in a degree. Altitudes are feet, speeds knots, vertical rates feet per minute."""

GROUND = (None, False, True, None)
"""The lowest two bits of `flags`: on the ground or not."""
SOURCES = (None, "terrestrial", "satellite", "other")
"""The next two: which way the newest update came."""
EMERGENCIES = (None, "7500", "7600", "7700")
"""The next two: the squawks that mean an emergency, so that they need not wait for the identities."""

LATEST = 253_370_764_799_999
"""The last millisecond of year 9998: a window's edges are in the keys of objects."""

MAX_HEADER = 1 << 20
MAX_BLOCKS = 1 << 12
MAX_IN_BLOCK = 1 << 12
MAX_IDENTITY_BLOCK = 1 << 23
"""Bounds on a snapshot: bytes of the inflated header, blocks, aircraft in a block, bytes of a block's identities."""

MAX_AIRCRAFT = 1 << 17
"""In one object, six times as many as there are in the world at once: what is repeated deflates to next to nothing."""
MAX_IDENTITIES = 1 << 24
"""Inflated bytes of all identities in one object: as many aircraft take a sixth of it."""
