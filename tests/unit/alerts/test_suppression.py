"""Suppression, pure: an update's place in time, and what the remembered alerts mean for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.suppression import (
    MOST_SPANS,
    MOST_WINDOWS,
    TTL_MARGIN_SECONDS,
    Claim,
    History,
    Span,
    State,
    Verdict,
    Window,
    expires_at,
    judge,
    suppressed_until,
)
from common.target_update import decode

NOON = datetime(2024, 3, 4, 12, 0, 0, tzinfo=UTC)
QUARTER_HOUR = timedelta(minutes=15)
REACH = 900_000


def claim(timestamp="2024-03-04T12:00:00Z", ingestion_time="2024-03-04T12:00:03Z", arrival=0.0):
    """A claim on an update with these times."""
    given = {"icao_address": "78121E", "timestamp": timestamp, "ingestion_time": ingestion_time}
    update = decode(msgspec.json.encode(given))
    return Claim.of("emergency_squawk:7700", update, arrival=arrival, suppression=QUARTER_HOUR)


def at(seconds, key=None):
    """A claim on an update that was measured then."""
    return Claim("pattern", "78121E", key or f"{seconds}", round(seconds * 1000), REACH)


def left_by(*claims, state=State.NOTIFIED):
    """The history that these claims left, each of which was granted."""
    history = History()
    for one in claims:
        decision = judge(one, history)
        assert decision.verdict is Verdict.NOTIFY
        claimed = decision.history
        assert claimed is not None
        history = marked(claimed, one.update_key) if state is State.NOTIFIED else claimed
    return history


def marked(history, key):
    """The history once the alert of the update was marked as sent."""
    windows = {replace(one, state=State.NOTIFIED) if one.update_key == key else one for one in history.windows}
    return replace(history, windows=frozenset(windows))


def test_the_tables_key_names_the_subject_and_the_aircraft():
    """The partition key is the subject, a hash sign, and the ICAO address."""
    assert claim().item_key == "emergency_squawk:7700#78121E"


def test_the_window_is_counted_in_the_updates_own_time():
    """The window lies around when the aircraft was measured, whatever the wall clock says."""
    assert claim().event_time_ms == NOON.timestamp() * 1000
    assert suppressed_until(claim()) == NOON + QUARTER_HOUR


def test_times_in_another_zone_or_with_fractions_mean_the_same_moment():
    """The zone in which a time is written does not matter, and milliseconds count."""
    assert claim("2024-03-04T13:00:00.250+01:00").event_time_ms == NOON.timestamp() * 1000 + 250


def test_a_clock_that_runs_ahead_does_not_silence_the_aircraft():
    """A measurement cannot be later than its ingestion: the window starts there at the latest."""
    assert claim("2031-01-01T00:00:00Z").event_time_ms == (NOON + timedelta(seconds=3)).timestamp() * 1000


def test_without_an_ingestion_time_the_records_arrival_bounds_the_window():
    """The record's arrival stands for a missing ingestion time."""
    arrival = NOON.timestamp() + 5

    assert claim("2031-01-01T00:00:00Z", None, arrival).event_time_ms == arrival * 1000


@pytest.mark.parametrize("moment", ["9998-12-31T23:59:59.999Z", "0002-01-01T00:00:00+14:00"])
def test_the_ends_of_time_are_times_like_others(moment):
    """The first and the last time an update can bear give a window with an end, and do not hold up the shard."""
    assert suppressed_until(claim(moment, moment)).tzinfo is UTC


def test_updates_that_differ_in_ingestion_only_are_different():
    """The same moment, seen by a satellite and by a ground station, is two updates."""
    assert claim().update_key != claim(ingestion_time="2024-03-04T14:57:00Z").update_key


def test_a_window_pending_in_our_own_name_is_taken_up_again():
    """A claim whose batch failed before it was marked is sent when the batch comes again, whatever was sent since."""
    history = judge(at(900), left_by(at(0), state=State.PENDING)).history

    assert judge(at(0), history).verdict is Verdict.NOTIFY
    assert judge(at(0), history).history is None


def test_a_window_notified_in_our_own_name_is_done():
    """An update that was alerted on is not sent again when its record comes again, even with another time."""
    assert judge(at(0), left_by(at(0))).verdict is Verdict.ALREADY_NOTIFIED
    assert judge(at(10_000, key="0"), left_by(at(0))).verdict is Verdict.ALREADY_NOTIFIED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("seconds", [-899.999, -5, 5, 899.999])
def test_another_updates_window_silences_us_pending_or_not(state, seconds):
    """Whoever comes second is silent, also where the first is not known to be sent: its own retry will send it."""
    decision = judge(at(seconds), left_by(at(0), state=state))

    assert decision.verdict is Verdict.SUPPRESSED
    assert decision.pending is (state is State.PENDING)


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_window_ends_on_both_sides(seconds):
    """Measured as long as the suppression before or after a sent alert, an update is sent."""
    assert judge(at(seconds), left_by(at(0))).verdict is Verdict.NOTIFY


moments = st.lists(st.integers(0, 40), min_size=1, max_size=40).map(lambda steps: [300 * step for step in steps])


@given(moments, st.randoms())
def test_in_any_order_every_update_is_near_an_alert_and_no_two_alerts_are(seconds, random):
    """Late, redriven, twice: each update is sent or within the time of one that is, and alerts keep their distance."""
    history, notified = History(), []
    for moment in seconds + random.sample(seconds, len(seconds)):
        decision = judge(at(moment), history)
        if decision.verdict is Verdict.NOTIFY:
            history = marked(decision.history, f"{moment}")
            notified.append(moment)

    assert all(any(abs(moment - other) < 900 for other in notified) for moment in seconds)
    assert all(abs(one - other) >= 900 for place, one in enumerate(notified) for other in notified[:place])


def test_an_emergency_that_goes_on_stays_within_bounds_and_is_remembered():
    """Days of one emergency, an alert each quarter of an hour: an old update of any part of it is still silent."""
    history = left_by(*(at(900 * n) for n in range(500)))

    assert len(history.windows) == MOST_WINDOWS
    assert history.spans == (Span(0, 900_000 * (499 - MOST_WINDOWS)),)
    assert all(judge(at(450 + 900 * n), history).verdict is Verdict.SUPPRESSED for n in range(-1, 500))
    assert judge(at(-900), history).verdict is Verdict.NOTIFY


def test_spans_with_room_for_an_alert_between_them_stay_apart():
    """Emergencies half an hour apart leave a moment that no alert covers, and an update of it is sent."""
    history = left_by(*(at(1800 * n) for n in range(MOST_WINDOWS + 10)))

    assert len(history.spans) == 10
    assert judge(at(900), history).verdict is Verdict.NOTIFY
    assert judge(at(901), history).verdict is Verdict.SUPPRESSED


def test_what_is_remembered_is_bounded_whatever_comes():
    """Alerts that are never sent, and emergencies without end far apart, are forgotten from the oldest on."""
    unsent = left_by(*(at(900 * n) for n in range(MOST_WINDOWS + 3)), state=State.PENDING)
    apart = left_by(*(at(5000 * n) for n in range(MOST_WINDOWS + MOST_SPANS + 3)))

    assert len(unsent.windows) == MOST_WINDOWS
    assert min(window.event_time_ms for window in unsent.windows) == 3 * 900_000
    assert judge(at(0), unsent).verdict is Verdict.NOTIFY  # sent again, it is sent: forgetting loses no alert
    assert (len(apart.windows), len(apart.spans)) == (MOST_WINDOWS, MOST_SPANS)


def test_an_old_update_is_not_forgotten_by_its_own_claim():
    """Among many newer ones its window is the oldest, and still it is what was just claimed."""
    many = left_by(*(at(900 * n) for n in range(1, MOST_WINDOWS + 1)), state=State.PENDING)

    history = judge(at(-5000), many).history

    assert Window("-5000", State.PENDING, -5_000_000) in history.windows


def test_old_alerts_sent_again_are_remembered_beside_as_many_newer_ones_as_there_is_room_for():
    """Redriven updates older than all that is remembered keep their windows: the oldest of the newer ones give way."""
    newer = [at(10_000 * n) for n in range(100, 100 + MOST_WINDOWS + MOST_SPANS)]
    old = [at(10_000 * n) for n in range(MOST_WINDOWS)]

    history = left_by(*newer, *old)

    assert [judge(one, history).verdict for one in old] == [Verdict.ALREADY_NOTIFIED] * MOST_WINDOWS
    assert (len(history.windows), len(history.spans)) == (MOST_WINDOWS, MOST_SPANS)
    assert all(judge(one, history).verdict is Verdict.SUPPRESSED for one in newer[-MOST_SPANS:])


@pytest.mark.parametrize(
    ("now", "counted_from"),
    [
        (NOON, NOON + QUARTER_HOUR),
        (NOON + timedelta(days=1200), NOON + timedelta(days=1200)),
    ],
)
def test_an_item_outlives_its_windows_and_every_redrive(now, counted_from):
    """The item stays longer than a redrive is possible after its window and its writing, whichever is later."""
    assert expires_at(claim().event_time_ms, REACH, now) == counted_from.timestamp() + TTL_MARGIN_SECONDS
    assert timedelta(seconds=TTL_MARGIN_SECONDS) > timedelta(days=90)
