"""Writes identities: the fields of an aircraft that hardly change, in blocks of the same order as the positions."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

from live.assembly import assemble
from live.container import RAW_DEFLATE, Block
from live.lanes import listed, present, signed
from live.layout import IDENTITIES
from live.tiles import box, cuts, degrees, tiled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from live.columns import Aircraft
    from live.container import Header

_encode = msgspec.json.Encoder().encode


def version(addresses: Sequence[str], identities: Mapping[str, Sequence[str | None]]) -> str:
    """Return what tells these identities from others: eight hexadecimal digits of all they say, in this order."""
    return f"{zlib.crc32(_encode((addresses, identities))):08x}"


def write(aircraft: Aircraft, identities: Mapping[str, Sequence[str | None]], header: Header) -> bytes:
    """Return the identities of these aircraft, sorted by their positions; an entry per aircraft in each field.

    Of the header, fields and blocks are set here.
    """
    count = len(aircraft.icao_address)
    has_position = present(signed(aircraft.position_measured, count), count)
    latitude, longitude = degrees(aircraft.latitude, 90, has_position), degrees(aircraft.longitude, 180, has_position)
    order, located = tiled(latitude, longitude, has_position, count), has_position.bit_count()
    columns = [[values[place] for place in order] for values in (aircraft.icao_address, *identities.values())]
    latitudes, longitudes = (
        [codes[place] for place in order] for codes in (listed(latitude, count), listed(longitude, count))
    )
    blocks, bodies = [], []
    for start, end in cuts(located, count):
        # Texts: what isal makes of them is a fifth larger, and an open window's are written every 20 s at most.
        body = zlib.compress(_encode([column[start:end] for column in columns]), wbits=RAW_DEFLATE)
        edges = box(latitudes[start:end], longitudes[start:end]) if start < located else ()
        blocks.append(Block(end - start, len(body), zlib.crc32(body), *edges))
        bodies.append(body)
    complete = msgspec.structs.replace(header, fields=("icao_address", *identities), blocks=tuple(blocks))
    return assemble(IDENTITIES, complete, bodies)
