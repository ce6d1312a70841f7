"""Snapshots of positions: what is written is what is read, few bytes each, and nothing hostile gets through."""

from __future__ import annotations

import random
import zlib
from datetime import datetime
from itertools import takewhile

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.assembly import assemble, deflate
from live.columns import LONGEST_AGE
from live.container import Column, read_header
from live.errors import SnapshotError
from live.layout import BLOCK_SIZE, PREFIX
from live.reader import read, read_block, read_positions_header
from live.writer import write
from local.simulator.flights import GeneratedTraffic
from tests.support.live_aircraft import HEADER, WINDOW_START, columns, fleets, targets


def row(**fields):
    """An aircraft over Shanghai with nothing out of the ordinary."""
    return {
        "timestamp": 1_000,
        "delay": 2_800,
        "position_measured": 1_000,
        "latitude": 311_029_930,
        "longitude": 1_214_301_270,
        "altitude": 12_500_000,
        "speed": 350_000,
        "vertical_rate": -1_370_000,
        "heading": 110_000,
        "on_ground": False,
        "source": "terrestrial",
        "emergency": None,
        **fields,
    }


@pytest.fixture(scope="module")
def traffic():
    """3,000 generated aircraft on their way over the world: what a shard of some hundred updates a second has."""
    fleet = {}
    feed = GeneratedTraffic(rate=599, aircraft=3_000, seed=3, start=WINDOW_START / 1000).updates()
    for _, line in takewhile(lambda update: update[0] < WINDOW_START / 1000 + 8, feed):
        update = msgspec.json.decode(line)["target"]
        timestamp, ingestion = (
            round(datetime.fromisoformat(update[name]).timestamp() * 1000) - WINDOW_START
            for name in ("timestamp", "ingestion_time")
        )
        readings = {
            name: None if (value := update.get(field)) is None else round(value * 1_000)
            for name, field in (
                ("altitude", "altitude_baro"),
                *((name, name) for name in ("speed", "vertical_rate", "heading")),
            )
        }
        fleet[update["icao_address"]] = row(
            timestamp=timestamp,
            delay=ingestion - timestamp,
            position_measured=timestamp,
            latitude=round(update["latitude"] * 10_000_000),
            longitude=round(update["longitude"] * 10_000_000),
            on_ground=update.get("on_ground"),
            source=update["collection_type"],
            **readings,
        )
    return fleet


@given(fleets)
def test_what_is_read_is_what_was_written(fleet):
    """Every aircraft once, every number to its unit, whatever is missing, and addresses that are any text."""
    header, found = read(write(columns(fleet), HEADER))

    assert {target.icao_address: target for target in found} == targets(fleet)
    assert len(found) == len(fleet) == header.aircraft
    assert (header.shard, header.order) == (HEADER.shard, HEADER.order)


@given(fleets, st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180)))
def test_the_blocks_that_touch_a_region_hold_all_its_aircraft(fleet, edges):
    """Whatever lies in a box, across 180 degrees too, is in a block whose own box touches it."""
    south, west, north, east = min(edges[0], edges[2]), edges[1], max(edges[0], edges[2]), edges[3]

    _, found = read(write(columns(fleet), HEADER), lambda block: block.touches(south, west, north, east))

    inside = {
        address
        for address, target in targets(fleet).items()
        if target.latitude is not None
        and south <= target.latitude <= north
        and (west <= target.longitude <= east if west <= east else not east < target.longitude < west)
    }
    assert inside <= {target.icao_address for target in found}


def test_a_block_is_read_by_itself_with_the_beginning_of_the_object(traffic):
    """A reader that has the header reads one block's range, and nothing else."""
    fleet = traffic
    data = write(columns(fleet), HEADER)
    header, start = read_positions_header(data[:4096])
    first = header.blocks[0].size

    found = read_block(header, 1, data[start + first : start + first + header.blocks[1].size])

    assert len(found) == BLOCK_SIZE
    written = targets(fleet)
    assert all(written[target.icao_address] == target for target in found)


def test_an_aircraft_takes_sixteen_bytes_at_most(traffic):
    """Position, times, motion and address, even with addresses of no order."""
    rng = random.Random(1)
    shuffled = {f"{rng.randrange(1 << 24):06X}": row for row in traffic.values()}

    assert len(write(columns(shuffled), HEADER)) <= 16 * len(shuffled)


@pytest.mark.parametrize(
    "odd",
    [
        {"timestamp": 1_000 - LONGEST_AGE, "position_measured": 1_000 - LONGEST_AGE},
        {"position_measured": 1_001},
        {"delay": LONGEST_AGE + 5_000},
        {"timestamp": LONGEST_AGE + 5_000, "delay": -LONGEST_AGE},
        {"timestamp": LONGEST_AGE + 5_000, "delay": None, "position_measured": LONGEST_AGE + 5_000},
        {"timestamp": 100 * LONGEST_AGE, "position_measured": 100 * LONGEST_AGE},
    ],
    ids=[
        "measured weeks ago",
        "a position after the newest update",
        "received weeks later",
        "a clock weeks ahead",
        "a clock weeks ahead, and no other",
        "both clocks years ahead",
    ],
)
def test_an_aircraft_whose_times_fit_no_column_is_left_out_and_counted(odd):
    """It harms none of the others."""
    fleet = {"AAAAAA": row(), "BBBBBB": row(**odd), "CCCCCC": row(emergency="7700")}

    header, found = read(write(columns(fleet), HEADER))

    fleet.pop("BBBBBB")
    assert {target.icao_address: target for target in found} == targets(fleet)
    assert header.left_out == 1


@given(st.binary(max_size=300))
def test_what_is_no_snapshot_is_refused(data):
    """Any bytes end in an error of one kind."""
    with pytest.raises(SnapshotError):
        read(data)


@given(fleets, st.data())
def test_a_damaged_snapshot_is_refused(fleet, data):
    """One byte changed, the end cut off, or something after it: an error, never other aircraft."""
    whole = write(columns(fleet), HEADER)
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= data.draw(st.integers(1, 255))

    for hostile in (whole[:place], bytes(damaged), whole + b"x"):
        with pytest.raises(SnapshotError):
            read(hostile)


def test_another_version_is_refused_by_its_number():
    """The error names both."""
    data = bytearray(write(columns({"AAAAAA": row()}), HEADER))
    data[4] = 2

    with pytest.raises(SnapshotError, match="version 2; this reader knows 1"):
        read(bytes(data))


def with_header(**changes):
    """A snapshot of one aircraft whose header says something else."""
    data = write(columns({"AAAAAA": row()}), HEADER)
    header, start = read_header(data, 1)
    return assemble(1, msgspec.structs.replace(header, **changes), [data[start:]])


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": ()},
        {"columns": (Column(0, 0, 1, 0),) * 12},
        {"columns": (Column(1 << 60, 1, 1, 0),) * 12},
        {"columns": (Column(0, 1, 5, 0),) * 12},
        {"columns": (Column(0, 1, 4, 0),) * 12},
        {"columns": (Column(0, 1, 1, 2),) * 12},
        {"window_start": 1 << 60},
        {"window_end": 253_402_300_800_000},
        {"window_start": -1},
        {"part": -1},
        {"sequence": "first"},
        {"sequence": "9" * 5_000},
        {"blocks": ()},
        {"addresses": ("x" * (1 << 20),)},
    ],
)
def test_a_header_out_of_bounds_is_refused(changes):
    """Whatever a header claims, memory and time are bounded, and the error is ours."""
    with pytest.raises(SnapshotError):
        read(with_header(**changes))


def test_a_block_that_inflates_without_end_is_refused():
    """A few kilobytes that would become gigabytes are read up to what the header allows."""
    bomb = deflate(bytes(50_000_000))
    data = write(columns({"AAAAAA": row()}), HEADER)
    header, _ = read_header(data, 1)
    block = header.blocks[0].__class__(1, len(bomb), zlib.crc32(bomb), *(0, 0, 0, 0))
    hostile = assemble(1, msgspec.structs.replace(header, blocks=(block,)), [bomb])

    with pytest.raises(SnapshotError, match="more than"):
        read(hostile)
    with pytest.raises(SnapshotError, match="header: 4294967295 bytes"):
        read(PREFIX.pack(b"LIVE", 1, 1, 0, 10, 0xFFFFFFFF, 0) + b"0123456789")


def test_the_order_of_snapshots_is_the_windows_and_the_records():
    """A retried invocation of an old window, part or batch is never the greater one."""
    data = write(columns({"AAAAAA": row()}), HEADER)
    order = read(data)[0].order

    assert order.from_text(order.text()) == order
    assert order._replace(window_start=WINDOW_START - 60_000, sequence=order.sequence + 9) < order
    assert order._replace(sequence=order.sequence - 1) < order < order._replace(part=1, sequence=0)
    with pytest.raises(SnapshotError):
        order.from_text("1/2/x")


def test_aircraft_without_number_in_a_few_bytes_are_refused():
    """Blocks that are each within bounds deflate to next to nothing, and all together would take gigabytes."""
    block = deflate(b"\1" * 4096 * 4)
    columns = [Column(0, 1, int(place in {0, 1, 2, 11}), 0) for place in range(12)]
    blocks = [[4096, len(block), zlib.crc32(block)]]
    header = msgspec.to_builtins(HEADER) | {"columns": msgspec.to_builtins(columns)}
    few, many = (assemble(1, header | {"blocks": blocks * count}, [block] * count) for count in (32, 33))
    assert len(read(few)[1]) == 131_072
    with pytest.raises(SnapshotError, match="135168 aircraft; expected at most 131072"):
        read(many)
