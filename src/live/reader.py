"""Reads a snapshot of positions: all of it, or the blocks of one region."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from live.container import Block, Header, block_bytes, inflate, read_header
from live.errors import SnapshotError
from live.lanes import numbers
from live.layout import COLUMNS, DEGREE, EMERGENCIES, GROUND, PLANES, POSITIONS, SOURCES, TENTHS, TEXT_ADDRESS
from live.order import NO_INGESTION, Freshness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_STEP, _FARTHEST_BASE = 1 << 32, 1 << 53


class Target(NamedTuple):
    """One aircraft as a reader sees it. Times are milliseconds since the epoch; None is no value.

    Latitude and longitude are in degrees, altitude in feet, speed in knots, vertical rate in feet per minute, heading
    in degrees from north; `emergency` is one of the squawks that mean one.
    """

    icao_address: str
    freshness: Freshness
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


def read(data: bytes, keep: Callable[[Block], bool] | None = None) -> tuple[Header, list[Target]]:
    """Return a snapshot's header and its aircraft, or those of the blocks that `keep` accepts.

    Raises
    ------
    SnapshotError
        It is not a snapshot of positions, or it is damaged.
    """
    header, start = read_positions_header(data)
    targets: list[Target] = []
    for place, block in enumerate(header.blocks):
        if keep is None or keep(block):
            targets += read_block(header, place, data[start : start + block.size])
        start += block.size
    if start != len(data):
        raise SnapshotError(f"snapshot: {len(data)} bytes; expected {start} by its header")
    return header, targets


def read_positions_header(data: bytes) -> tuple[Header, int]:
    """Return the header, and where the first block begins; `data` may end anywhere after the header.

    Raises
    ------
    SnapshotError
        The header is not one of positions, or it is damaged or not all there.
    """
    header, start = read_header(data, POSITIONS)
    if len(header.columns) != len(COLUMNS):
        raise SnapshotError(f"header: {len(header.columns)} columns; expected {len(COLUMNS)}")
    for name, column in zip(COLUMNS, header.columns, strict=True):
        usable = abs(column.base) < _FARTHEST_BASE and 0 < column.step < _LONGEST_STEP
        if not (usable and 0 <= column.rough <= column.planes <= PLANES):
            raise SnapshotError(f"header: {name} is {column}; expected numbers within bounds")
    return header, start


def read_block(header: Header, place: int, data: bytes | memoryview) -> list[Target]:
    """Return one block's aircraft; `data` are its own bytes.

    Raises
    ------
    SnapshotError
        The bytes are damaged, or belong to another version of the object.
    """
    rows, what = header.blocks[place].aircraft, f"block {place}"
    expected = rows * sum(column.planes for column in header.columns)
    body = inflate(block_bytes(header, place, data), expected, what)
    if len(body) != expected:
        raise SnapshotError(f"{what}: {len(body)} bytes; expected {expected} for {rows} aircraft")
    planes = [body[start : start + rows] for start in range(0, expected, rows)]
    split = sum(column.rough for column in header.columns)
    rough, others = iter(planes[:split]), iter(planes[split:])
    columns = []
    for column in header.columns:
        found = [next(rough if place < column.rough else others) for place in range(column.planes)]
        below, step = column.base - column.step, column.step
        columns.append([below + step * code if code else None for code in numbers(found, rows)])
    return [_target(header, what, row) for row in zip(*columns, strict=True)]


def _target(header: Header, what: str, row: Sequence[int | None]) -> Target:
    address, measured, ahead, delay, age, latitude, longitude, altitude, speed, rate, heading, flags = row
    if address is None or measured is None or ahead is None or flags is None:
        raise SnapshotError(f"{what}: an aircraft without address, times or flags")
    if not 0 <= address < TEXT_ADDRESS + len(header.addresses):
        raise SnapshotError(f"{what}: address {address}; expected one of 24 bits or of {len(header.addresses)} texts")
    if latitude is None or longitude is None or age is None:
        latitude = longitude = age = None
    elif abs(latitude) > 90 * DEGREE or abs(longitude) > 180 * DEGREE:
        raise SnapshotError(f"{what}: a position of {latitude}, {longitude} hundred-thousandths of a degree")
    return Target(
        icao_address=f"{address:06X}" if address < TEXT_ADDRESS else header.addresses[address - TEXT_ADDRESS],
        freshness=Freshness(measured, measured + ahead, NO_INGESTION if delay is None else measured + delay),
        position_measured=None if age is None else measured - age,
        latitude=None if latitude is None else latitude / DEGREE,
        longitude=None if longitude is None else longitude / DEGREE,
        altitude=altitude,
        speed=speed,
        vertical_rate=rate,
        heading=None if heading is None else heading / TENTHS,
        on_ground=GROUND[flags & 3],
        source=SOURCES[flags >> 2 & 3],
        emergency=EMERGENCIES[flags >> 4 & 3],
    )
