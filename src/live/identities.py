"""Reads identities: the fields of an aircraft that hardly change, in an object beside the positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from live.container import block_bytes, inflate, read_header
from live.errors import SnapshotError
from live.layout import IDENTITIES, MAX_IDENTITIES, MAX_IDENTITY_BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from live.container import Block, Header

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
_decode = msgspec.json.Decoder(list[list[str | None]]).decode


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
    left = MAX_IDENTITIES
    for place, block in enumerate(header.blocks):
        if keep is None or keep(block):
            body = _body(header, place, data[start : start + block.size], min(left, MAX_IDENTITY_BLOCK))
            left -= len(body)
            identities |= _identities(header, place, body)
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
    return _identities(header, place, _body(header, place, data, MAX_IDENTITY_BLOCK))


def _body(header: Header, place: int, data: bytes, most: int) -> bytes:
    return inflate(block_bytes(header, place, data), most, f"block {place}")


def _identities(header: Header, place: int, body: bytes) -> dict[str, Identity]:
    what, rows = f"block {place}", header.blocks[place].aircraft
    try:
        columns = _decode(body)
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
