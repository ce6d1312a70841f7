"""The joined view of the live objects: what is asked for, how often, and how many at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from api.snapshots import LOOK_SECONDS, Snapshots
from benchmarks.inputs.live_fleet import Update
from benchmarks.inputs.live_writer import LiveWriter

SHARDS, AIRCRAFT = 300, 900
START = datetime(2024, 3, 4, 12, 0, 20, tzinfo=UTC)


class Objects:
    """Live objects in memory; `together` is how many requests have to be under way at once before one is answered."""

    def __init__(self):
        self.content = {}
        self.asked = []
        self.together = threading.Barrier(1)

    def get(self, key, known):
        """Answer as S3 does."""
        self.asked.append(key)
        if key != "live/shards.json":
            self.together.wait(timeout=60)
        data = self.content.get(key)
        if data is None:
            return None
        tag = str(hash(data))
        return tag, b"" if tag == known else data


def update(number, at):
    """An aircraft's update, received at that time."""
    return Update(
        icao_address=f"{number:06X}",
        timestamp=at,
        ingestion_time=at,
        latitude=47.0,
        longitude=8.0,
        callsign=f"ABC{number}",
        collection_type="terrestrial",
    )


@pytest.fixture
def stored():
    """The objects of many shards."""
    return Objects()


@pytest.fixture
def writer(stored):
    """Writes them: three windows, the last of them open."""
    milliseconds = int(START.timestamp() * 1000)
    made = LiveWriter(stored.content.__setitem__, SHARDS, milliseconds - 120_000)
    for back in (120, 60, 0):
        fly(made, START - timedelta(seconds=back))
    return made


def fly(writer, at):
    """All aircraft are heard, and written."""
    now = int(at.timestamp() * 1000)
    writer.write(now)
    writer.add(update(number, at) for number in range(AIRCRAFT))
    writer.write(now)


@pytest.mark.usefixtures("writer")
def test_a_look_asks_side_by_side(stored):
    """One after the other, the objects of many shards would take seconds."""
    stored.together = threading.Barrier(4)  # 300 open windows, 300 identities, and four closed objects of each shard

    sky = Snapshots(stored, lambda: 0.0).sky()

    assert len(sky.targets) == len(sky.identities) == AIRCRAFT
    assert sky.shards == SHARDS


def test_the_next_look_asks_once_for_each_shard(stored, writer):
    """Closed windows are kept, and identities as long as the open window names their version."""
    now = 0.0
    snapshots = Snapshots(stored, lambda: now)
    snapshots.sky()
    stored.asked.clear()
    now += LOOK_SECONDS
    fly(writer, START + timedelta(seconds=5))

    sky = snapshots.sky()

    assert {target.freshness.measured for target in sky.targets} == {
        int((START + timedelta(seconds=5)).timestamp() * 1000)
    }
    assert len(sky.identities) == AIRCRAFT
    assert sorted(stored.asked) == sorted(["live/shards.json", *(f"live/shardId-{n:012}/open" for n in range(SHARDS))])


def test_identities_that_change_are_asked_for_again(stored, writer):
    """A callsign that comes later is there with its snapshot."""
    now = 0.0
    snapshots = Snapshots(stored, lambda: now)
    snapshots.sky()
    now += LOOK_SECONDS
    at = START + timedelta(seconds=5)
    changed = update(7, at)
    changed.callsign = "NEW1"
    writer.add([changed])
    writer.write(int(at.timestamp() * 1000))

    assert snapshots.sky().identities["000007"]["callsign"] == "NEW1"
