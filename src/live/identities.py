"""Identities: what hardly changes of an aircraft, in an object beside the positions, in blocks of the same order."""

from __future__ import annotations

import zlib
from array import array
from sys import byteorder
from typing import TYPE_CHECKING

import msgspec

from live.container import Block, Header, assemble, block_bytes, deflate, inflate, read_header
from live.errors import SnapshotError
from live.lanes import numbers, planes, present, signed
from live.layout import IDENTITIES, MAX_IDENTITY_BLOCK
from live.tiles import box, cuts, degrees, keys, tiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from live.columns import Aircraft

    type Identity = dict[str, str]

FIELDS = (
    "callsign",
    "flight_number",
    "tail_number",
    "airline_iata",
    "airline_name",
    "aircraft_type_icao",
    "aircraft_type_name",
    "departure_airport_icao",
    "arrival_airport_icao",
    "squawk",
    "collection_type",
)
"""The fields that readers know, named as in a target update. An object has those that it names, in any order."""

_MAX_FIELDS = 64
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[list[str | None]]).decode


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
    located = has_position.bit_count()
    order = _order(latitude, longitude, has_position, count)
    columns = [[values[place] for place in order] for values in (aircraft.icao_address, *identities.values())]
    latitudes, longitudes = (
        list(map(numbers(planes(lanes, count), count).__getitem__, order)) for lanes in (latitude, longitude)
    )
    blocks, bodies = [], []
    for start, end in cuts(located, count):
        body = deflate(_encode([column[start:end] for column in columns]))
        edges = box(latitudes[start:end], longitudes[start:end]) if start < located else ()
        blocks.append(Block(end - start, len(body), zlib.crc32(body), *edges))
        bodies.append(body)
    complete = msgspec.structs.replace(header, fields=("icao_address", *identities), blocks=tuple(blocks))
    return assemble(IDENTITIES, complete, bodies)


def _order(latitude: int, longitude: int, has_position: int, count: int) -> array[int]:
    """Return the aircraft's places in the order of their tiles."""
    places = array("I", range(count))
    if byteorder == "big":
        places.byteswap()
    data = places.tobytes()
    by = [*keys(latitude, longitude, has_position, count), *(data[plane::4] for plane in range(4))]
    rows = tiled(by, has_position.bit_count(), count)
    return numbers([rows[plane :: len(by)] for plane in range(len(by) - 4, len(by))], count)


def read(data: bytes, keep: Callable[[Block], bool] | None = None) -> tuple[Header, dict[str, Identity]]:
    """Return the header and the identities by address, or those of the blocks that `keep` accepts.

    Raises
    ------
    SnapshotError
        It is not a snapshot of identities, or it is damaged.
    """
    header, start = read_header(data, IDENTITIES)
    if header.fields[:1] != ("icao_address",) or len(header.fields) > _MAX_FIELDS:
        raise SnapshotError(f"header: fields {header.fields[:3]}; expected icao_address and at most {_MAX_FIELDS}")
    identities: dict[str, Identity] = {}
    for place, block in enumerate(header.blocks):
        if keep is None or keep(block):
            identities |= read_block(header, place, data[start : start + block.size])
        start += block.size
    if start != len(data):
        raise SnapshotError(f"snapshot: {len(data)} bytes; expected {start} by its header")
    return header, identities


def read_block(header: Header, place: int, data: bytes) -> dict[str, Identity]:
    """Return one block's identities by address, without the fields that have no value; `data` are its own bytes.

    Raises
    ------
    SnapshotError
        The bytes are damaged, or belong to another version of the object.
    """
    what, rows = f"block {place}", header.blocks[place].aircraft
    try:
        columns = _decode(inflate(block_bytes(header, place, data), MAX_IDENTITY_BLOCK, what))
    except (msgspec.DecodeError, RecursionError) as error:
        raise SnapshotError(f"{what}: {error}") from None
    if len(columns) != len(header.fields) or any(len(column) != rows for column in columns):
        raise SnapshotError(f"{what}: not {len(header.fields)} columns of {rows} aircraft")
    identities: dict[str, Identity] = {}
    for address, *values in zip(*columns, strict=True):
        if address is None:
            raise SnapshotError(f"{what}: an aircraft without address")
        named = zip(header.fields[1:], values, strict=True)
        identities[address] = {name: value for name, value in named if value is not None}
    return identities
