"""Suppression, pure: an update's place in time, and what an item already in the table means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerts.suppression import TTL_MARGIN_SECONDS, Claim, State, Verdict, Window, expires_at, judge_refused
from common.target_update import decode

NOON = datetime(2024, 3, 4, 12, 0, 0, tzinfo=UTC)
QUARTER_HOUR = timedelta(minutes=15)


def claim(timestamp="2024-03-04T12:00:00Z", ingestion_time="2024-03-04T12:00:03Z", arrival=0.0):
    """A claim on an update with these times."""
    given = {"icao_address": "78121E", "timestamp": timestamp, "ingestion_time": ingestion_time}
    update = decode(msgspec.json.encode(given))
    return Claim.of("emergency_squawk", update, arrival=arrival, suppression=QUARTER_HOUR)


def window(of, state):
    """The item that this claim left in the table."""
    return Window(of.update_key, state, of.suppressed_until_ms)


def test_the_tables_key_names_the_rule_and_the_aircraft():
    """The partition key is the rule, a hash sign, and the ICAO address."""
    assert claim().item_key == "emergency_squawk#78121E"


def test_the_window_is_counted_in_the_updates_own_time():
    """The window starts when the aircraft was measured, whatever the wall clock says."""
    assert claim().event_time_ms == NOON.timestamp() * 1000
    assert claim().suppressed_until_ms == (NOON + QUARTER_HOUR).timestamp() * 1000


def test_times_in_another_zone_or_with_fractions_mean_the_same_moment():
    """The zone in which a time is written does not matter, and milliseconds count."""
    assert claim("2024-03-04T13:00:00.250+01:00").event_time_ms == NOON.timestamp() * 1000 + 250


def test_a_clock_that_runs_ahead_does_not_silence_the_aircraft():
    """A measurement cannot be later than its ingestion: the window starts there at the latest."""
    assert claim("2031-01-01T00:00:00Z").event_time_ms == (NOON + timedelta(seconds=3)).timestamp() * 1000


def test_without_an_ingestion_time_the_records_arrival_bounds_the_window():
    """The record's arrival, the same on each sending, stands for a missing ingestion time."""
    arrival = NOON.timestamp() + 5

    assert claim("2031-01-01T00:00:00Z", None, arrival).event_time_ms == arrival * 1000


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_time_are_times_like_others(moment):
    """The first and the last time an update can bear give a window with an end, and do not hold up the shard."""
    ours = claim(moment, moment)

    assert ours.suppressed_until_ms > ours.event_time_ms
    assert window(ours, State.PENDING).suppressed_until.tzinfo is UTC


def test_updates_that_differ_in_ingestion_only_are_different():
    """The same moment, seen by a satellite and by a ground station, is two updates."""
    assert claim().update_key != claim(ingestion_time="2024-03-04T14:57:00Z").update_key


def test_a_window_pending_in_our_own_name_is_taken_up_again():
    """A claim whose batch failed before it was marked is sent when the batch comes again."""
    assert judge_refused(claim(), window(claim(), State.PENDING)).verdict is Verdict.NOTIFY


def test_a_window_notified_in_our_own_name_is_done():
    """An update that was told of is not told of again when its record comes again."""
    assert judge_refused(claim(), window(claim(), State.NOTIFIED)).verdict is Verdict.ALREADY_NOTIFIED


@pytest.mark.parametrize("state", State)
def test_another_updates_window_silences_us_pending_or_not(state):
    """Who comes second is silent, even where the first is not known to be sent: its own retry will send it."""
    later = claim("2024-03-04T12:00:05Z")

    assert judge_refused(later, window(claim(), state)).verdict is Verdict.SUPPRESSED


@pytest.mark.parametrize(
    ("now", "counted_from"),
    [
        (NOON, NOON + QUARTER_HOUR),
        (NOON + timedelta(days=1200), NOON + timedelta(days=1200)),
    ],
)
def test_an_item_outlives_its_window_and_every_retry(now, counted_from):
    """The item stays for the longest record age after its window and after its writing, whichever is later."""
    assert expires_at(claim(), now) == counted_from.timestamp() + TTL_MARGIN_SECONDS
