"""A window's state survives its way through Lambda, within Lambda's bound."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.events import batch
from aggregator.sinks import row_schema
from aggregator.state import codec, packing, splitting
from aggregator.state.layout import BLOCK, GREATEST, KEY_BYTES, SECOND_UPDATE_BYTES
from aggregator.state.splitting import PartFolder
from aggregator.state.window_part import WindowPart
from common.target_update import TargetUpdate, decode


def sky(origin, aircraft, updates_each):
    """Updates of many unlike aircraft, positions all over the globe: what compresses worst of what is plausible."""
    choose = random.Random(7)
    airports = ["".join(choose.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=4)) for _ in range(400)]
    names = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz ", k=choose.randrange(8, 30))) for _ in range(200)]
    for address in choose.sample(range(0x400000, 0xA00000), aircraft):
        airline, number = choose.choice(["CCA", "CES", "DLH", "UAL", "BAW", "AFR"]), choose.randrange(1, 9_999)
        texts = {
            "callsign": f"{airline}{number}",
            "flight_number": f"{airline[:2]}{number}",
            "tail_number": f"B-{choose.randrange(1_000, 9_999)}",
            "squawk": f"{choose.randrange(4_096):04o}",
            "collection_type": "terrestrial",
            "aircraft_type_icao": choose.choice(["A320", "B738", "A321", "B789", "A359", "E190", "B77W", "A20N"]),
            "departure_airport_icao": choose.choice(airports),
            "arrival_airport_icao": choose.choice(airports),
            "airline_iata": airline[:2],
            "airline_name": choose.choice(names),
        }
        latitude, longitude = choose.uniform(-60, 75), choose.uniform(-179, 179)
        altitude, speed, climb = choose.randrange(1_600) * 25.0, choose.randrange(100, 550), choose.randrange(-30, 30)
        for step in range(updates_each):
            timestamp = origin + timedelta(seconds=5 * step + choose.choice([-1, 0, 0, 0, 1]))
            yield TargetUpdate(
                icao_address=f"{address:06X}",
                timestamp=timestamp,
                ingestion_time=timestamp + timedelta(milliseconds=round(choose.gauss(2_800, 700))),
                latitude=round(latitude + step * 0.005 + choose.uniform(-0.01, 0.01), 6),
                longitude=round(longitude + step * 0.005 + choose.uniform(-0.01, 0.01), 6),
                altitude_baro=None if choose.random() < 0.14 else altitude + 25 * choose.randrange(4),
                speed=float(speed + choose.randrange(3)),
                vertical_rate=None if choose.random() < 0.37 else 64.0 * (climb + choose.randrange(3)),
                heading=round(choose.uniform(0, 360), 5),
                on_ground=False,
                **texts,
            )


def test_5000_aircraft_with_12_updates_each_fit_one_part(origin):
    """A minute of 5,000 aircraft at an update every 5 seconds needs no second part, and its state is under 1 MB."""
    folder = PartFolder(WindowPart(origin))
    for update in sky(origin, 5_000, 12):
        folder.add(update)
    assert folder.full_parts == []
    assert folder.part.updates == 60_000
    assert len(json.dumps(codec.encode(folder.part))) < 950_000


def test_no_state_exceeds_the_bound_however_many_aircraft_come(origin):
    """Above that the window goes on in a next part: nothing is refused, and each state stays within its bound."""
    folder = PartFolder(WindowPart(origin), packed_bytes=60_000)
    for update in sky(origin, 2_000, 3):
        folder.add(update)
    everything = [*folder.full_parts, folder.part]
    assert len(folder.full_parts) >= 2
    assert [part.number for part in everything] == list(range(len(everything)))
    assert sum(part.updates for part in everything) == 6_000
    assert all(len(packing.pack(part)) <= 60_000 for part in everything)


def unlike(origin, aircraft, rounds, seed=7):
    """A round of updates after the other, of aircraft whose numbers have nothing to do with each other or before."""
    choose = random.Random(seed)
    texts = {
        address: dict.fromkeys(("callsign", "tail_number", "flight_number"), f"{choose.randrange(36**5):06}")
        | {"squawk": f"{choose.randrange(4_096):04o}", "collection_type": "terrestrial"}
        for address in choose.sample(range(0x400000, 0xA00000), aircraft)
    }
    for number in range(rounds):
        for address, own in texts.items():
            timestamp = origin + timedelta(seconds=5 * number, milliseconds=choose.randrange(5_000))
            yield TargetUpdate(
                icao_address=f"{address:06X}",
                timestamp=timestamp,
                ingestion_time=timestamp + timedelta(milliseconds=choose.randrange(1_000, 9_000)),
                latitude=choose.uniform(-90, 90),
                longitude=choose.uniform(-180, 180),
                altitude_baro=choose.uniform(0, 45_000),
                speed=choose.uniform(0, 600),
                vertical_rate=choose.uniform(-6_000, 6_000),
                heading=choose.uniform(0, 360),
                on_ground=choose.random() < 0.5,
                **own,
            )


def test_rows_that_fill_after_a_measurement_do_not_outgrow_the_bound(origin):
    """A row compresses well until its aircraft's second update: what is measured before leaves room for that."""
    packed_bytes, part, splits = splitting.PACKED_BYTES // 10, WindowPart(origin), 0
    updates = list(unlike(origin, 900, 3))
    for start in range(0, len(updates), 200):
        folder = PartFolder(part, packed_bytes)
        folder.add_all(batch.of(updates[start : start + 200]))
        splits += len(folder.full_parts)
        state = codec.encode(folder.part)
        assert len(state["z"]) * 3 // 4 <= packed_bytes
        part = codec.decode(state, origin)
    assert splits


@settings(max_examples=20, deadline=None)
@given(aircraft=st.integers(1, 200), seed=st.integers(0, 2**32), data=st.data())
def test_the_bound_holds_from_a_measurement_to_each_aircrafts_second_update(origin, aircraft, seed, data):
    """However many aircraft were measured after one update each: the second ones are charged what they add."""
    part, updates = WindowPart(origin), list(unlike(origin, aircraft, 2, seed))
    part.add_all(batch.of(updates[:aircraft]), GREATEST)
    part.size_bound = packing.measure(part)
    seconds = data.draw(st.permutations(updates[aircraft:]))
    for start in range(0, aircraft, 10):
        part.add_all(batch.of(seconds[start : start + 10]), GREATEST)
        assert len(packing.pack(part)) <= part.size_bound


@pytest.mark.parametrize("seconds", [-1.0, 1.0])
def test_only_an_aircrafts_second_update_is_charged_its_row(origin, make_update, seconds):
    """Newer or late, once: not the third one, and not a duplicate, which adds nothing."""
    part = WindowPart(origin)
    charged = []
    for time in (0.0, 0.0, seconds, seconds, 2 * seconds):
        before = part.size_bound
        part.add(make_update(seconds=time))
        charged.append(part.size_bound - before)
    assert charged[1:] == [0, KEY_BYTES + SECOND_UPDATE_BYTES, 0, KEY_BYTES]


def test_a_state_above_lambdas_limit_is_compressed_harder(origin):
    """What outgrew every estimate is made smaller before it is handed back, and is the same part to who reads it."""
    part = WindowPart(origin, number=1)
    part.add_all(batch.of(list(sky(origin, 1_000, 12))), GREATEST)
    packed = packing.pack(part)
    usual = codec.encode(part, most_bytes=len(packed))
    harder = codec.encode(part, most_bytes=len(packed) - 1)
    assert len(harder["z"]) < 0.95 * len(usual["z"])
    back = codec.decode(harder, origin)
    assert back == part
    assert packing.pack(back) == packed


@settings(max_examples=60)
@given(data=st.data())
def test_what_is_encoded_is_decoded(origin, feeds, data):
    """A part comes back equal, through JSON, and packs to the same bytes again."""
    part = WindowPart(origin, number=3, undecodable=2)
    for update in data.draw(feeds):
        part.add(update)
    back = codec.decode(json.loads(json.dumps(codec.encode(part))), origin)
    assert back == part
    assert packing.pack(back) == packing.pack(part)


@settings(max_examples=60)
@given(data=st.data())
def test_a_state_depends_on_the_updates_not_on_how_often_it_was_carried(origin, feeds, data):
    """What an invocation passes on as it got it is what it would have packed: a part's content tells it in a retry."""
    feed = data.draw(feeds)
    at_once, carried = WindowPart(origin), WindowPart(origin)
    for number, update in enumerate(feed):
        at_once.add(update)
        carried.add(update)
        how = data.draw(st.sampled_from(["not", "as usual", "harder"])) if number % 3 == 0 else "not"
        if how != "not":
            carried = codec.decode(codec.encode(carried, 0 if how == "harder" else GREATEST), origin)
    assert packing.pack(carried) == packing.pack(at_once)


def test_a_name_that_changes_is_carried_whichever_block_it_is_in(origin, make_update):
    """Names are packed by blocks of aircraft: the changed one again, the others as they were."""
    part = WindowPart(origin)
    for number in range(2 * BLOCK + 2):
        part.add(make_update(f"{number:06X}", callsign="OLD"))
    for place in (0, BLOCK - 1, BLOCK, 2 * BLOCK + 1):
        part = codec.decode(codec.encode(part), origin)
        part.add(make_update(f"{place:06X}", seconds=1.0, callsign=f"NEW{place}"))
    part.add(make_update("last", callsign="LAST"))
    aircraft = codec.decode(codec.encode(part), origin).aircraft
    assert {name for one in aircraft.values() for name in one.callsigns} == {
        "OLD",
        "LAST",
        *(f"NEW{place}" for place in (0, BLOCK - 1, BLOCK, 2 * BLOCK + 1)),
    }
    assert aircraft[f"{BLOCK:06X}"].callsigns == [f"NEW{BLOCK}", "OLD"]


@settings(max_examples=60)
@given(data=st.data())
def test_the_bound_kept_update_by_update_is_never_below_the_real_size(origin, feeds, data):
    """The size that decides when to measure first is an upper bound: a state too large is never overlooked."""
    part = WindowPart(origin)
    fixed = len(packing.pack(part))
    for update in data.draw(feeds):
        part.add(update)
        assert len(packing.pack(part)) <= fixed + part.size_bound


def test_the_bound_counts_texts_and_odd_keys_that_do_not_compress(origin, make_update):
    """Random texts and random microseconds grow the state by all they have, and the bound grows with them."""
    choose = random.Random(3)
    texts, keys = WindowPart(origin), WindowPart(origin)
    for second in range(32):
        noise = "".join(chr(choose.randrange(0x4E00, 0x9FFF)) for _ in range(64))
        texts.add(make_update(seconds=second, callsign=noise))
    for _ in range(400):
        keys.add(make_update(seconds=choose.uniform(-60, 60), delay=choose.uniform(0, 10_000)))
    for part in (texts, keys):
        size = len(packing.pack(part))
        assert 2_000 < size <= part.size_bound


def test_a_repeat_is_known_after_the_state_went_through_lambda(origin, make_update):
    """Idempotence reaches across the invocations of a window."""
    part = WindowPart(origin)
    for delay in (2.0, 2.0000015, None):
        part.add(make_update(seconds=1.0, delay=delay))
    back = codec.decode(codec.encode(part), origin)
    assert [back.add(make_update(seconds=1.0, delay=delay)) for delay in (2.0, 2.0000015, None, 3.0)] == [
        False,
        False,
        False,
        True,
    ]


def test_an_empty_state_is_a_new_window(origin):
    """Lambda starts a window with `{}`."""
    assert codec.decode({}, origin) == WindowPart(origin)


@pytest.mark.parametrize("state", [{"v": 1, "z": ""}, {"v": 2, "z": ""}, {"v": 5, "z": ""}, {"z": ""}, {"count": 1}])
def test_another_version_is_refused_with_what_to_do(origin, state):
    """A state of another version is never read as if it were ours."""
    with pytest.raises(codec.StateError, match=r"got version .*; expected 4 or 3\. .*deploy that version"):
        codec.decode(state, origin)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("z", ["", "AAAA", "!", None, 5])
def test_a_damaged_state_is_refused(origin, version, z):
    """A state that was cut or mangled is its own error class."""
    with pytest.raises(codec.StateError, match="damaged"):
        codec.decode({"v": version, "z": z}, origin)


RECORDED = json.loads((Path(__file__).parent / "data" / "state-v3.json").read_text(encoding="utf-8"))
"""States of version 3 in mid-window, and the rows that the code of that version wrote of them."""


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["name"])
@pytest.mark.parametrize("carries", [False, True])
def test_a_window_that_was_open_when_the_version_changed_ends_as_it_would_have(origin, recorded, carries):
    """A state of version 3 is read, folded on, carried as version 4, and written: the rows are those of version 3."""
    name = row_schema.PartName("2024-03-04T23:24:00Z", "2024-03-04T23:25:00Z", "shardId-000000000000", 1)
    part = codec.decode(recorded["state"], origin)
    assert list(map(json.loads, row_schema.rows(part, name))) == recorded["rows"]
    assert part.columns.is_wide == (recorded["name"] == "microseconds")
    for number, update in enumerate(recorded["more"]):
        part.add(decode(json.dumps(update).encode()))
        if carries and number % 5 == 0:
            state = codec.encode(part)
            assert state["v"] == 4
            part = codec.decode(state, origin)
    assert list(map(json.loads, row_schema.rows(part, name))) == recorded["rows_with_more"]


def names_that_turn_random(origin, aircraft, choose):
    """Two rounds of six names of 64 characters that compress to nothing, and a third one of random ones."""
    airports = ("departure_airport_icao", "arrival_airport_icao")
    names = ("callsign", "tail_number", "flight_number", "aircraft_type_icao", *airports)
    for number in range(3):
        for address in range(aircraft):
            timestamp = origin + timedelta(seconds=number)
            yield TargetUpdate(
                icao_address=f"{address:06X}",
                timestamp=timestamp,
                ingestion_time=timestamp,
                **{
                    name: "".join(choose.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=64))
                    if number == 2
                    else "A" * 64
                    for name in names
                },
            )


def test_names_that_compress_no_longer_do_not_outgrow_the_bound(origin):
    """What an update may add is what its names can cost, not how much longer they have become."""
    packed_bytes, part, splits = splitting.PACKED_BYTES // 10, WindowPart(origin), 0
    updates = list(names_that_turn_random(origin, 400, random.Random(9)))
    for start in range(0, len(updates), 50):
        folder = PartFolder(part, packed_bytes)
        folder.add_all(batch.of(updates[start : start + 50]))
        splits += len(folder.full_parts)
        state = codec.encode(folder.part)
        assert len(state["z"]) * 3 // 4 <= packed_bytes
        part = codec.decode(state, origin)
    assert splits


def test_the_bound_lies_under_lambdas():
    """950,000 characters of state leave room under 1 MB, and what is not compressed harder is under it."""
    assert splitting.PACKED_BYTES * 4 / 3 < splitting.STATE_BYTES < codec.MOST_PACKED_BYTES * 4 / 3 < 1_000_000
