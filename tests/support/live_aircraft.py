"""Aircraft for tests of the live objects: drawn, as columns for the writer, and as readers shall see them."""

from __future__ import annotations

from array import array

from hypothesis import strategies as st

from live.columns import NO_TIME, Aircraft
from live.container import Header
from live.layout import EMERGENCIES, SOURCES
from live.order import Freshness
from live.reader import Target
from live.tiles import NO_READING

WINDOW_START = 1_709_594_640_000

HEADER = Header(
    shard="shardId-000000000000",
    window_start=WINDOW_START,
    window_end=WINDOW_START + 60_000,
    sequence="49590338271490256608559692538361571095921575989136588898",
    written_at=WINDOW_START + 12_345,
    blocks=(),
)

_addresses = st.one_of(
    st.integers(0, 0xFFFFFF).map("{:06X}".format), st.text(min_size=1, max_size=32).filter(str.isprintable)
)
_readings = st.one_of(
    st.none(), st.integers(-1_000_000_000, 1_000_000_000), st.integers(0, 400).map(lambda n: n * 25_000)
)
_times = st.one_of(st.integers(-600_000, 60_000), st.integers(-100, 100).map(lambda n: n * 1_000))


@st.composite
def _rows(draw):
    timestamp = draw(_times)
    delay = draw(st.one_of(st.none(), st.integers(-5_000, 20_000), st.integers(0, 10_000_000)))
    measured = timestamp + min(delay or 0, 0)
    has_position = draw(st.booleans())
    return {
        "timestamp": timestamp,
        "delay": delay,
        "position_measured": measured - draw(st.integers(0, 3_600_000)) if has_position else None,
        "latitude": draw(st.integers(-900_000_000, 900_000_000)) if has_position else None,
        "longitude": draw(st.integers(-1_800_000_000, 1_800_000_000)) if has_position else None,
        "altitude": draw(_readings),
        "speed": draw(_readings),
        "vertical_rate": draw(_readings),
        "heading": draw(_readings),
        "on_ground": draw(st.sampled_from((None, False, True))),
        "source": draw(st.sampled_from(SOURCES)),
        "emergency": draw(st.sampled_from(EMERGENCIES)),
    }


fleets = st.dictionaries(_addresses, _rows(), max_size=40)
"""Address to fields, in the units of the aggregator's state."""


def columns(fleet) -> Aircraft:
    """Return a fleet as the writer takes it."""
    rows = list(fleet.values())

    def numbers(name, code, missing):
        return array(code, [missing if row[name] is None else row[name] for row in rows])

    readings = {
        name: numbers(name, "i", NO_READING)
        for name in ("latitude", "longitude", "altitude", "speed", "vertical_rate", "heading")
    }
    return Aircraft(
        icao_address=list(fleet),
        timestamp=numbers("timestamp", "q", NO_TIME),
        delay=numbers("delay", "q", NO_TIME),
        position_measured=numbers("position_measured", "q", NO_TIME),
        on_ground=numbers("on_ground", "b", -1),
        source=bytes(SOURCES.index(row["source"]) for row in rows),
        emergencies={place: row["emergency"] for place, row in enumerate(rows) if row["emergency"]},
        **readings,
    )


def targets(fleet) -> dict[str, Target]:
    """Return what a reader shall see of a fleet: each number rounded to its unit, half upwards."""
    return {address: _target(address, row) for address, row in fleet.items()}


def _target(address, row) -> Target:
    def rounded(name, unit):
        return None if row[name] is None else (row[name] + unit // 2) // unit

    timestamp = WINDOW_START + row["timestamp"]
    ingestion = None if row["delay"] is None else timestamp + row["delay"]
    has_position = row["position_measured"] is not None
    return Target(
        icao_address=address,
        freshness=Freshness.of(timestamp, ingestion),
        position_measured=WINDOW_START + row["position_measured"] if has_position else None,
        latitude=rounded("latitude", 100) / 100_000 if has_position else None,
        longitude=rounded("longitude", 100) / 100_000 if has_position else None,
        altitude=rounded("altitude", 1_000),
        speed=rounded("speed", 1_000),
        vertical_rate=rounded("vertical_rate", 1_000),
        heading=None if row["heading"] is None else rounded("heading", 100) / 10,
        on_ground=row["on_ground"],
        source=row["source"],
        emergency=row["emergency"],
    )
