"""From observations to updates: one an interval, each position once, nothing that is out of date, in bounded memory."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from common.target_update import decode
from feeds.aircraft_state import FORGOTTEN_AFTER, AircraftState
from feeds.observation import MLAT, Observation, Position

NOW = 1_709_594_640.0
ADDRESS = "4CA2D6"


def seen(at, *, address=ADDRESS, position=None, **values):
    """An observation `at` seconds after `NOW`, its position with it."""
    where = None if position is None else Position(position[0], position[1], NOW + at)
    return Observation(address, NOW + at, values, where)


class Sky:
    """The state, with times in seconds after `NOW`."""

    def __init__(self, **options):
        self.state = AircraftState(**options)

    def hear(self, at, **what):
        self.state.observe(seen(at, **what), NOW + at)

    def updates(self, at):
        return [json.loads(line)["target"] for line in self.state.updates(NOW + at)]


def test_an_update_has_what_several_messages_said():
    """Callsign, position, motion and squawk come one by one and make one update, which the consumer's decoder takes."""
    sky = Sky()
    sky.hear(0.0, callsign="DLH4AB")
    sky.hear(0.2, speed=450.0, heading=90.5, vertical_rate=-64.0)
    sky.hear(0.4, squawk="7700", on_ground=False)
    sky.hear(0.6, position=(51.5, -1.0), altitude_baro=37000.0)
    assert sky.updates(0.9) == []
    (line,) = sky.state.updates(NOW + 1.0)
    assert json.loads(line) == {
        "target": {
            "ingestion_time": "2024-03-04T23:24:01.000Z",
            "icao_address": ADDRESS,
            "timestamp": "2024-03-04T23:24:00.600Z",
            "latitude": 51.5,
            "longitude": -1.0,
            "altitude_baro": 37000.0,
            "heading": 90.5,
            "speed": 450.0,
            "vertical_rate": -64.0,
            "squawk": "7700",
            "on_ground": False,
            "callsign": "DLH4AB",
            "source": "ADSB",
            "collection_type": "terrestrial",
        }
    }
    assert decode(line[len('{"target":') : -1]).squawk == "7700"


def test_one_update_in_five_seconds_and_none_without_news():
    """However often an aircraft is heard; silence brings nothing."""
    sky, times = Sky(), []
    for tenth in range(200):
        if tenth < 150:
            sky.hear(tenth / 10, position=(51 + tenth / 1000, 0.0))
        times += [tenth / 10 for _ in sky.updates(tenth / 10)]
    assert times == [1.0, 6.0, 11.0, 16.0]
    assert sky.updates(60) == []


def test_a_position_is_sent_once_and_by_its_own_time():
    """News of something else does not move an old position to a later time."""
    sky = Sky()
    sky.hear(0.0, position=(51.5, -1.0))
    assert sky.updates(1.0)[0]["latitude"] == 51.5
    sky.hear(5.5, squawk="7600")
    (update,) = sky.updates(6.0)
    assert "latitude" not in update
    assert update["timestamp"] == "2024-03-04T23:24:05.500Z"
    assert update["squawk"] == "7600"


def test_values_go_out_of_date():
    """Motion after 15 s, a squawk after a minute; who it is stays true."""
    sky = Sky()
    sky.hear(0.0, speed=450.0, squawk="1200", callsign="DLH4AB")
    sky.hear(20.0, on_ground=False)
    (update,) = sky.updates(21.0)
    assert "speed" not in update
    assert (update["squawk"], update["callsign"]) == ("1200", "DLH4AB")
    sky.hear(61.0, on_ground=False)
    assert "squawk" not in sky.updates(61.5)[0]


def test_what_is_on_the_ground_has_no_altitude():
    """What it flew at a moment ago is over."""
    sky = Sky()
    sky.hear(0.0, altitude_baro=1200.0, vertical_rate=-600.0, on_ground=False)
    sky.hear(0.5, on_ground=True, speed=80.0)
    (update,) = sky.updates(1.0)
    assert update["on_ground"] is True
    assert not {"altitude_baro", "vertical_rate"} & set(update)


def test_an_older_value_does_not_replace_a_newer_one():
    """MLAT results come late: each field is as new as it was measured."""
    sky = Sky()
    sky.hear(2.0, altitude_baro=3000.0, position=(51.5, 0.0))
    late = Observation(ADDRESS, NOW, {"altitude_baro": 2000.0}, Position(51.4, 0.0, NOW, MLAT))
    sky.state.observe(late, NOW + 2.5)
    (update,) = sky.updates(3.0)
    assert (update["altitude_baro"], update["latitude"], update["source"]) == (3000.0, 51.5, "ADSB")


def test_presence_alone_is_no_update():
    """A message that says nothing but who sent it keeps the aircraft known."""
    sky = Sky()
    sky.hear(0.0)
    assert sky.updates(10) == []
    assert len(sky.state) == 1


def test_silent_aircraft_are_forgotten():
    """After five minutes, so that an evening's traffic does not stay."""
    sky = Sky()
    sky.hear(0.0, squawk="1200")
    sky.updates(1.0)
    sky.hear(FORGOTTEN_AFTER, address="000001", squawk="1200")
    sky.updates(FORGOTTEN_AFTER + 1)
    assert len(sky.state) == 1


def test_memory_is_bounded_whatever_addresses_come():
    """Of damaged addresses the newest few are kept, and no update is made of what was forgotten."""
    sky = Sky(most=10)
    for number in range(1000):
        sky.hear(0.0, address=f"{number:06X}", squawk="1200")
    assert len(sky.state) == 10
    assert [update["icao_address"] for update in sky.updates(2)] == [f"{number:06X}" for number in range(990, 1000)]


_values = st.dictionaries(st.sampled_from(["squawk", "callsign"]), st.just("1200"))


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 10), st.booleans(), _values), max_size=60))
def test_updates_of_an_aircraft_are_five_seconds_apart_and_hold_each_position_once(events):
    """In whatever order and however late things are heard."""
    state, at, emitted, places = AircraftState(), 0.0, {}, {}
    for number, (aircraft, later, has_position, values) in enumerate(events):
        at += later
        address = f"00000{aircraft}"
        position = Position(number / 100, 0.0, NOW + at) if has_position else None
        state.observe(Observation(address, NOW + at, values, position), NOW + at)
        for line in state.updates(NOW + at):
            target = json.loads(line)["target"]
            emitted.setdefault(target["icao_address"], []).append(at)
            assert target["timestamp"] <= target["ingestion_time"]
            if "latitude" in target:
                places.setdefault(target["icao_address"], []).append(target["latitude"])
    assert all(b - a >= 5 for times in emitted.values() for a, b in itertools.pairwise(times))
    assert all(len(set(found)) == len(found) for found in places.values())
