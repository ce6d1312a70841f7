"""The joined view: the newest of each aircraft by one rule, whatever the order of the snapshots."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from live.joined import joined
from live.objects import closed_window, open_window
from live.order import Freshness
from tests.support.live_aircraft import WINDOW_START, fleets, targets


def newest(snapshots):
    """Each address's greatest state, with the newest position of all of them."""
    found = {}
    for snapshot in snapshots:
        for target in snapshot.values():
            found.setdefault(target.icao_address, []).append(target)
    return {
        address: (max(target.freshness for target in states), max((t.position_measured or 0) for t in states))
        for address, states in found.items()
    }


@given(st.lists(fleets, min_size=1, max_size=3))
def test_the_newest_state_and_the_newest_position_stand_in_any_order(drawn):
    """Snapshots may be read in any order: newer never gives way to older."""
    snapshots = [targets(fleet) for fleet in drawn]

    for order in permutations(snapshots):
        view = joined(snapshot.values() for snapshot in order)

        assert {a: (t.freshness, t.position_measured or 0) for a, t in view.items()} == newest(snapshots)


def test_a_measurement_is_no_later_than_its_ingestion():
    """A clock that runs ahead does not hold its aircraft."""
    ahead = Freshness.of(WINDOW_START + 3_600_000, WINDOW_START)
    later = Freshness.of(WINDOW_START + 5_000, WINDOW_START + 7_000)

    assert ahead < later
    assert Freshness.of(WINDOW_START, None) < Freshness.of(WINDOW_START, WINDOW_START + 1)


def test_keys_say_shard_window_and_part():
    """They are part of the contract with the page and with whoever serves it."""
    assert open_window("shardId-000000000003") == "live/shardId-000000000003/open"
    assert closed_window("s", WINDOW_START) == "live/s/closed/20240304T232400Z"
    assert closed_window("s", WINDOW_START, 2) == "live/s/closed/20240304T232400Z.2"
