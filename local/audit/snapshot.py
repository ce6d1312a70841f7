"""Reads a snapshot of positions as `docs/design.md` describes it: an independent and plain implementation.

The functions and the page have their own readers; this one shares no code with them, so that it can judge them.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

_PREFIX = struct.Struct("<4sBBHIII")
_POSITIONS, _IDENTITIES = 1, 2
_TEXT_ADDRESS = 1 << 24
_GROUND = (None, False, True)
_SOURCES = (None, "terrestrial", "satellite", "other")
_EMERGENCIES = (None, "7500", "7600", "7700")


class State(NamedTuple):
    """An aircraft as a snapshot has it; times in milliseconds since the epoch, other units as in a target update."""

    icao_address: str
    measured: int
    timestamp: int
    ingestion: int | None
    position_measured: int | None
    latitude: float | None
    longitude: float | None
    altitude: int | None
    speed: int | None
    vertical_rate: int | None
    heading: float | None
    on_ground: bool | None
    source: str | None
    emergency: str | None

    @property
    def freshness(self) -> tuple[int, int, float]:
        """What an aircraft's states are compared by."""
        return self.measured, self.timestamp, float("-inf") if self.ingestion is None else self.ingestion


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot's order among those of its shard, and its aircraft."""

    order: tuple[int, int, int]
    states: list[State]


def read(data: bytes) -> Snapshot:
    """Return what a snapshot of positions says.

    Raises
    ------
    ValueError
        It is not a snapshot, or it is damaged.
    """
    kind, header, start = _opened(data)
    if kind != _POSITIONS:
        raise ValueError(f"kind {kind}; expected {_POSITIONS}")
    states: list[State] = []
    for block in header["blocks"]:
        rows, size, checksum = block[:3]
        body = data[start : start + size]
        if zlib.crc32(body) != checksum:
            raise ValueError("a block's checksum is another one")
        states += _states(header, rows, _inflate(body))
        start += size
    if start != len(data):
        raise ValueError(f"{len(data)} bytes; expected {start}")
    return Snapshot((header["window_start"], header.get("part", 0), int(header["sequence"])), states)


def inflated(data: bytes) -> bytes:
    """Return all that a live object says, to be looked through: a snapshot's header and blocks are inflated."""
    if not data.startswith(b"LIVE"):
        return data
    _, header, start = _opened(data)
    texts = [msgspec.json.encode(header)]
    for block in header["blocks"]:
        texts.append(_inflate(data[start : start + block[1]]))
        start += block[1]
    return b"\n".join(texts)


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data, -15)
    except zlib.error as error:
        raise ValueError(f"not a deflate stream: {error}") from None


def _opened(data: bytes) -> tuple[int, dict[str, Any], int]:
    magic, version, kind, _, packed, plain, checksum = _PREFIX.unpack_from(data)
    if (magic, version) != (b"LIVE", 1) or kind not in {_POSITIONS, _IDENTITIES}:
        raise ValueError(f"{data[:8]!r}; expected a snapshot of version 1")
    start = _PREFIX.size + packed
    body = data[_PREFIX.size : start]
    text = _inflate(body)
    if zlib.crc32(body) != checksum or len(text) != plain:
        raise ValueError("the header is damaged")
    return kind, msgspec.json.decode(text, type=dict[str, Any]), start


def _states(header: dict[str, Any], rows: int, body: bytes) -> list[State]:
    planes = [body[start : start + rows] for start in range(0, len(body), rows)]
    rough = sum(column[3] for column in header["columns"])
    low, high = iter(planes[:rough]), iter(planes[rough:])
    columns = []
    for base, step, count, lowest in header["columns"]:
        found = [next(low if place < lowest else high) for place in range(count)]
        codes = [sum(plane[row] << 8 * place for place, plane in enumerate(found)) for row in range(rows)]
        columns.append([base + step * (code - 1) if code else None for code in codes])
    return [_state(header, *row) for row in zip(*columns, strict=True)]


def _state(header: dict[str, Any], address: int, measured: int, ahead: int, *others: int | None) -> State:
    delay, age, latitude, longitude, altitude, speed, rate, heading, flags = others
    known = flags or 0
    return State(
        f"{address:06X}" if address < _TEXT_ADDRESS else header["addresses"][address - _TEXT_ADDRESS],
        measured,
        measured + ahead,
        None if delay is None else measured + delay,
        None if age is None else measured - age,
        None if latitude is None else latitude / 100_000,
        None if longitude is None else longitude / 100_000,
        altitude,
        speed,
        rate,
        None if heading is None else heading / 10,
        _GROUND[known & 3],
        _SOURCES[known >> 2 & 3],
        _EMERGENCIES[known >> 4 & 3],
    )
