"""The fast fold is equal to the plain one, on any feed, and however often its state went through Lambda."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.state import codec, packed_part
from aggregator.state.layout import MASK_BITS, MAX_LISTED
from aggregator.state.window_part import WindowPart
from common.target_update import TargetUpdate
from tests.support.plain_window import PlainWindow


def assert_equal(origin, updates, carried_at=()):
    """Both folds count the same updates and say the same of each aircraft; the fast one's state is carried at times."""
    fast, plain = WindowPart(origin), PlainWindow(origin)
    for number, update in enumerate(updates):
        if number in carried_at:
            fast = codec.decode(codec.encode(fast), origin)
        assert fast.add(update) is plain.add(update)
    assert fast.duplicates_ignored == plain.duplicates_ignored
    assert fast.updates == len(plain.counted)
    assert fast.aircraft == plain.aircraft
    assert codec.decode(codec.encode(fast), origin).aircraft == plain.aircraft


@settings(max_examples=200)
@given(data=st.data())
def test_any_feed_is_folded_as_plainly(origin, feeds, data):
    """Whatever comes, in whatever order and batches: counts, extremes, sums, tracks, lists and latest values agree."""
    feed = data.draw(feeds)
    assert_equal(origin, feed, data.draw(st.sets(st.integers(0, len(feed)), max_size=4)))


def traffic(origin, count, aircraft, *, seed):
    """Updates of a few aircraft: most in order, some late, tied or repeated, fields missing, names that change."""
    choose = random.Random(seed)

    def sometimes(value, share=0.8):
        return value if choose.random() < share else None

    updates = []
    for number in range(count):
        if updates and choose.random() < 0.03:
            updates.append(choose.choice(updates))
            continue
        timestamp = origin + timedelta(seconds=number // aircraft + choose.choice([0, 0, 0, 0, -1, -7, 0.0015]))
        address = choose.randrange(aircraft)
        updates.append(
            TargetUpdate(
                icao_address=f"{address:06X}",
                timestamp=timestamp,
                ingestion_time=sometimes(timestamp + timedelta(milliseconds=choose.randrange(5_000)), 0.95),
                latitude=sometimes(choose.uniform(-90, 90), 0.9),
                longitude=choose.uniform(-180, 180),
                altitude_baro=sometimes(choose.randrange(-1_000, 45_000) / 1.0),
                speed=sometimes(choose.uniform(0, 600)),
                vertical_rate=sometimes(choose.uniform(-9_000, 9_000), 0.5),
                heading=sometimes(choose.uniform(0, 360)),
                squawk=sometimes(f"{choose.choice([address % 4096, 0o7600]):04o}"),
                on_ground=sometimes(choose.random() < 0.1),
                callsign=sometimes(f"C{address}{choose.choice(['', '', '', 'X'])}", 0.9),
                tail_number=f"T{address}",
                collection_type=choose.choice(["terrestrial", "satellite"]),
                arrival_airport_icao=choose.choice(["EDDF", "EDDM"]),
            )
        )
    return updates


def test_a_long_feed_with_chunks_of_the_log_packed_is_folded_as_plainly(origin):
    """Some 20,000 updates, over several full chunks of the log and many invocations, agree to the last number."""
    feed = traffic(origin, 20_000, 300, seed=5)
    assert_equal(origin, feed, carried_at=set(range(0, 20_000, 1_900)))


def test_a_key_in_a_packed_chunk_is_still_known(origin, make_update):
    """However long ago in the window an update came, its duplicate is not counted."""
    part = WindowPart(origin)
    for number in range(packed_part.CHUNK + 10):
        part.add(make_update(seconds=number / 1_000))
    part = codec.decode(codec.encode(part), origin)
    assert len(part.columns.chunks) == 1
    assert part.add(make_update(seconds=1.0)) is False
    assert part.add(make_update(seconds=1.0, delay=3.0)) is True


@pytest.mark.parametrize("field", ["callsign", "squawk", "collection_type"])
def test_texts_beyond_every_bound_are_listed_as_plainly(origin, make_update, field):
    """Of more texts than bits, codes or places in a list there are, each aircraft lists the first to arrive."""
    count = MASK_BITS + MAX_LISTED
    texts = [make_update(f"{n % 3}", seconds=n, **{field: f"T{n * 7 % count}"}) for n in range(count * 4)]
    assert_equal(origin, texts, carried_at={count})


def test_many_late_updates_of_one_aircraft_cost_a_step_each(origin, make_update):
    """A feed in reverse is folded in time: keys are collected once, not walked through for every update."""
    assert_equal(origin, [make_update(seconds=-number) for number in range(5_000)])
