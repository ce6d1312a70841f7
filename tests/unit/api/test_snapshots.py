"""The joined view of the live objects: what is asked for, how often, and how many at once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from api.snapshots import LOOK_SECONDS, Snapshots
from benchmarks.inputs.live_fleet import Update
from benchmarks.inputs.live_writer import LiveWriter
from live.current import LEFT_OUT_SECONDS

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


@pytest.mark.usefixtures("writer")
def test_a_window_that_is_empty_now_is_not_unchanged(stored):
    """What was there before is not shown for it, and it is counted."""
    now = 0.0
    snapshots = Snapshots(stored, lambda: now)
    assert snapshots.sky().unreadable == 0
    stored.content["live/shardId-000000000007/open"] = b""
    now += LOOK_SECONDS

    sky = snapshots.sky()

    assert (sky.shards, sky.unreadable) == (SHARDS - 1, 1)


PARENT, CHILD = "shardId-000000000000", "shardId-000000000001"


@pytest.fixture
def resharded(stored):
    """A shard that closed at START with one aircraft, and one that goes on with another, as of so many seconds later.

    Both are listed for good, as the aggregator does.
    """

    def fly_on(seconds):
        for shard, number, at in ((PARENT, 1, START), (CHILD, 2, START + timedelta(seconds=seconds))):
            milliseconds = int(at.timestamp() * 1000)

            def put(key, data, shard=shard):
                stored.content[key.replace(PARENT, shard)] = data

            writer = LiveWriter(put, 1, milliseconds)
            writer.add([update(number, at)])
            writer.write(milliseconds)
        listed = {"window_seconds": 60, "shards": {PARENT: {}, CHILD: {}}}
        stored.content["live/shards.json"] = json.dumps(listed).encode()
        return Snapshots(stored, lambda: 0.0).sky()

    return fly_on


def aircraft(sky):
    """The numbers of those that are shown."""
    return [int(target.icao_address, 16) for target in sky.targets]


def test_a_shard_that_a_reshard_closed_is_left_out_after_five_minutes(stored, resharded):
    """Its last snapshot stays in S3 for days, and its aircraft have landed or are another shard's."""
    sky = resharded(LEFT_OUT_SECONDS)
    assert (aircraft(sky), sky.shards, sky.shards_left_out) == ([1, 2], 2, 0)
    stored.asked.clear()

    sky = resharded(LEFT_OUT_SECONDS + 1)

    assert (aircraft(sky), list(sky.identities), sky.shards, sky.shards_left_out) == ([2], ["000002"], 1, 1)
    assert [key for key in stored.asked if PARENT in key] == [f"live/{PARENT}/open"]


def test_a_stack_that_has_stopped_shows_what_it_had(stored, resharded):
    """Ages are measured against the newest snapshot, whose time the answer has."""
    resharded(60)
    del stored.content[f"live/{CHILD}/open"]

    sky = Snapshots(stored, lambda: 0.0).sky()

    assert (aircraft(sky), sky.newest) == ([1], int(START.timestamp() * 1000))
    assert [key for key in stored.asked if CHILD in key][-1] == f"live/{CHILD}/open"


def test_of_too_many_shards_the_newest_are_shown(stored, resharded):
    """No shard ever leaves the list, and those that are listed last are those that are written."""
    resharded(0)
    gone = {f"shardId-{number:012}": {} for number in range(10, 5_000)}
    listed = {"window_seconds": 60, "shards": {**gone, PARENT: {}, CHILD: {}}}
    stored.content["live/shards.json"] = json.dumps(listed).encode()

    sky = Snapshots(stored, lambda: 0.0).sky()

    assert (aircraft(sky), sky.shards, sky.shards_left_out) == ([1, 2], 2, 0)
