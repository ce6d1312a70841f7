"""The receiver's clock: it follows the wall's forward, goes on where that is set back, and says so."""

from __future__ import annotations

import json
import threading

import pytest

from feeds import aircraft_json
from feeds.aircraft_state import AircraftState
from feeds.clocks import NeverFalling
from feeds.feeder import feed
from feeds.observation import Observation, Position


class Machine:
    """A machine whose wall clock can be set, unlike its monotonic one."""

    def __init__(self):
        self.wall = 1_700_000_000.0
        self.monotonic = 5_000.0
        self.sentences = []
        self.now = NeverFalling(self.sentences.append, lambda: self.wall, lambda: self.monotonic)

    def pass_seconds(self, seconds):
        """Let time pass."""
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def machine():
    """A machine with the feeder's clock on it."""
    return Machine()


def test_a_clock_that_is_set_forward_is_followed(machine):
    """A small computer that gets the right time after its start has it from then on."""
    machine.wall += 86_400.0
    assert machine.now() == machine.wall
    machine.pass_seconds(5.0)
    assert machine.now() == machine.wall
    assert machine.sentences == []


def test_a_clock_that_is_set_back_goes_on_at_the_pace_of_time(machine):
    """Ingestion times do not fall, and what is due in 5 s is due in 5 s."""
    began = machine.now()
    machine.wall -= 7_200.0
    readings = []
    for _ in range(10):
        machine.pass_seconds(0.25)
        readings.append(machine.now() - began)
    assert readings == pytest.approx([0.25 * place for place in range(1, 11)])


def test_a_clock_that_is_set_back_is_reported_once(machine):
    """How far the times are ahead is said when that changes, by more than NTP moves a clock every day."""
    machine.wall -= 7_200.0
    for _ in range(3):
        machine.pass_seconds(1.0)
        machine.now()
    machine.wall -= 0.1
    machine.now()
    (sentence,) = machine.sentences
    assert "set back by 7,200 s" in sentence
    machine.wall += 3_600.0  # half of it was right
    machine.now()
    machine.wall -= 60.0
    machine.now()
    assert "set back by 60 s" in machine.sentences[1]
    assert "3,660 s ahead" in machine.sentences[1]


def test_a_pause_between_looks_takes_the_clock_neither_ahead_nor_aback(machine):
    """A thread that stood still between its looks at the two clocks has not seen the wall's set back."""
    pauses = iter([0.0, 2.0])

    def wall():
        at = machine.wall
        machine.pass_seconds(next(pauses, 0.0))
        return at

    now = NeverFalling(machine.sentences.append, wall, lambda: machine.monotonic)
    assert now() == machine.wall
    assert machine.sentences == []


def test_updates_are_sent_while_the_clock_is_behind(machine):
    """A quarter of a minute after the clock was set back by two hours an aircraft has had three updates."""
    stop, sent = threading.Event(), []
    ends_at = machine.monotonic + 15.0

    class Heard:
        def read(self, stop):
            machine.pass_seconds(0.25)
            if machine.monotonic >= ends_at:
                stop.set()
            at = machine.now()
            return [Observation("4CA2D6", at, {}, Position(51.5, at % 90, at))]

        def close(self):
            """Nothing is open."""

    machine.wall -= 7_200.0
    made = feed(Heard(), lambda updates, _at: sent.extend(updates), machine.now, stop)
    assert made == len(sent) == 3


@pytest.mark.parametrize("set_back", [2.0, 14.0, 30.0, 59.0, 7_200.0])
def test_what_readsb_writes_on_the_same_machine_stays_complete(machine, set_back):
    """Its times are then behind the feeder's: a minute later an aircraft has position and altitude as before."""
    state, heard = AircraftState(), aircraft_json.NewlyHeard()
    updates = []
    for second in range(120):
        if second == 60:
            machine.wall -= set_back
        machine.pass_seconds(1.0)
        entry = {"hex": "4ca2d6", "seen": 0.1, "seen_pos": 0.1, "lat": 51.5, "lon": second / 100, "alt_baro": 5_000}
        document = aircraft_json.parse(json.dumps({"now": machine.wall, "aircraft": [entry]}).encode())
        at = machine.now()
        for seen in heard.select(document, at):
            state.observe(seen, at)
        updates.append(state.updates(at))
    last = [json.loads(update)["target"] for each in updates[-10:] for update in each]
    assert len(last) == 2
    assert all({"latitude", "altitude_baro"} <= update.keys() for update in last)
