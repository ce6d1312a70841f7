"""Writes the newest state of a shard's aircraft as a snapshot of positions."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import fields
from itertools import compress
from typing import TYPE_CHECKING

import msgspec

from live.assembly import assemble, deflate
from live.columns import LONGEST_AGE, NO_TIME, Aircraft, UnusableTimesError, table
from live.container import Block, Column
from live.lanes import numbers
from live.layout import BLOCK_SIZE, COLUMNS, POSITIONS
from live.tiles import arranged, box, cuts

if TYPE_CHECKING:
    from live.columns import Coded
    from live.container import Header

_FEW = 100
"""Different bytes of a block's 256 that a plane has at most if it repeats itself."""

_LATITUDE, _LONGITUDE = COLUMNS.index("latitude"), COLUMNS.index("longitude")


def write(aircraft: Aircraft, header: Header) -> bytes:
    """Return the snapshot of these aircraft; columns, addresses, blocks and `left_out` of the header are set here.

    An aircraft is left out if no column can hold its times together with the others': it was measured outside the span
    of `LONGEST_AGE` that has the most aircraft, or its position is newer than its newest update.
    """
    kept = aircraft
    try:
        everything = table(kept, header.window_start)
    except UnusableTimesError:
        kept = _with_usable_times(aircraft)
        everything = table(kept, header.window_start)
    count, located = len(kept.icao_address), everything.located
    planes = arranged([plane for column in everything.columns for plane in column.planes], everything.order)
    latitudes, longitudes = (_codes(everything.columns, planes, wanted, count) for wanted in (_LATITUDE, _LONGITUDE))
    rough = _rough(everything.columns, planes, count)
    parts = _parts(everything.columns, planes, rough)
    blocks, bodies = [], []
    for start, end in cuts(located, count):
        body = deflate(*(b"".join([plane[start:end] for plane in part]) for part in parts))
        edges = box(latitudes[start:end], longitudes[start:end]) if start < located else ()
        blocks.append(Block(end - start, len(body), zlib.crc32(body), *edges))
        bodies.append(body)
    complete = msgspec.structs.replace(
        header,
        left_out=len(aircraft.icao_address) - count,
        columns=tuple(
            Column(column.base, column.step, len(column.planes), lowest)
            for column, lowest in zip(everything.columns, rough, strict=True)
        ),
        addresses=tuple(everything.addresses),
        blocks=tuple(blocks),
    )
    return assemble(POSITIONS, complete, bodies)


def _rough(columns: list[Coded], planes: list[bytes], count: int) -> list[int]:
    """Return how many of each column's lowest planes hardly repeat themselves, by the block in the middle."""
    start = max(0, (count - BLOCK_SIZE) // 2)
    rough, left = [], iter(planes)
    for column in columns:
        kinds = [len(set(next(left)[start : start + BLOCK_SIZE])) for _ in column.planes]
        rough.append(next((place for place, found in enumerate(kinds) if found <= _FEW), len(kinds)))
    return rough


def _parts(columns: list[Coded], planes: list[bytes], rough: list[int]) -> tuple[list[bytes], list[bytes]]:
    """Return the rough planes and all others, each in the columns' order."""
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    left = iter(planes)
    for column, lowest in zip(columns, rough, strict=True):
        for place in range(len(column.planes)):
            parts[place >= lowest].append(next(left))
    return parts


def _codes(columns: list[Coded], planes: list[bytes], wanted: int, count: int) -> list[int]:
    """Return the sorted codes of a column."""
    first = sum(len(column.planes) for column in columns[:wanted])
    return numbers(planes[first : first + len(columns[wanted].planes)], count).tolist()


def _with_usable_times(aircraft: Aircraft) -> Aircraft:
    """Return the aircraft whose times can be written."""
    measured = [
        timestamp + min(delay, 0) if delay != NO_TIME else timestamp
        for timestamp, delay in zip(aircraft.timestamp, aircraft.delay, strict=True)
    ]
    newest = _newest_of_most(measured)
    oldest = newest - LONGEST_AGE
    usable = [
        oldest < at <= newest
        and (position == NO_TIME or oldest < position <= at)
        and (delay == NO_TIME or abs(delay) < LONGEST_AGE)
        for at, position, delay in zip(measured, aircraft.position_measured, aircraft.delay, strict=True)
    ]
    places = {place: after for after, place in enumerate(compress(range(len(usable)), usable))}
    kept = {
        name: type(column)(column.typecode, compress(column, usable))
        for name in (field.name for field in fields(aircraft))
        if isinstance(column := getattr(aircraft, name), array)
    }
    return Aircraft(
        icao_address=list(compress(aircraft.icao_address, usable)),
        source=bytes(compress(aircraft.source, usable)),
        emergencies={places[place]: squawk for place, squawk in aircraft.emergencies.items() if place in places},
        **kept,
    )


def _newest_of_most(measured: list[int]) -> int:
    """Return the newest time of the span of `LONGEST_AGE` that has the most; of several that nearest to the window.

    Counting from the newest time of all, a single clock that runs a month ahead would leave everybody else out.
    """
    ordered = sorted(measured)
    spans, first = [], 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - LONGEST_AGE:
            first += 1
        spans.append((last - first, -abs(at), at))
    return max(spans)[-1]
