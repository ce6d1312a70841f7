"""A token too old: which time is fetched in batch mode, in which slices, and what is reported as out of reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import rfc3339
from consumer.checkpoint.position import Position, TimeRange
from consumer.ingestion.recovery_plan import LATENCY, RecoveryPlan, Slices, is_too_old, plan

NOW = datetime(2024, 3, 5, 12, 0, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
HALF_A_MINUTE, MINUTE, HOUR = timedelta(seconds=30), timedelta(minutes=1), timedelta(hours=1)


def position(received_ago, newest_ago=None, gap=None):
    """A position whose token was received so long ago."""
    newest = None if newest_ago is None else NOW - newest_ago
    return Position(position_token="t", token_received_at=NOW - received_ago, newest_ingestion_time=newest, gap=gap)


@pytest.mark.parametrize(
    ("age", "too_old"),
    [
        (timedelta(0), False),
        (6 * HOUR - MINUTE, False),
        (6 * HOUR - MINUTE + MILLISECOND, True),
        (6 * HOUR, True),
        (timedelta(days=400), True),
    ],
)
def test_a_token_is_too_old_a_minute_before_the_server_forgets_it(age, too_old):
    """Six hours are the server's limit; the last minute of them is left for the way to it."""
    assert is_too_old(position(age), NOW) is too_old


@pytest.mark.parametrize(("gap_ago", "too_old"), [(24 * HOUR, False), (24 * HOUR + MILLISECOND, True)])
def test_a_gap_that_slid_out_of_reach_is_planned_again(gap_ago, too_old):
    """With a young token, a rest of a gap that batch mode would refuse must not be asked for as it stands."""
    gap = TimeRange(NOW - gap_ago, NOW - HOUR)
    assert is_too_old(position(HOUR, HOUR, gap), NOW) is too_old


def test_the_gap_reaches_from_the_newest_committed_update_to_the_live_token():
    """Fetched is what was ingested since the newest committed time, and a latency before, to one after the newest."""
    found = plan(position(8 * HOUR, 8 * HOUR + MINUTE), NOW - 2 * MILLISECOND, NOW)
    assert found.gap == TimeRange(NOW - 8 * HOUR - MINUTE - LATENCY, NOW + LATENCY - MILLISECOND)
    assert found.lost is None


def test_a_late_streams_gap_is_of_its_own_time():
    """It begins where that stream stood when the token came, and ends where it stands: hours before our clock's."""
    delay = 4 * HOUR
    found = plan(position(7 * HOUR), NOW, NOW, delay)
    assert found.gap == TimeRange(NOW - 11 * HOUR - 5 * MINUTE, NOW - delay + MINUTE + MILLISECOND)
    ahead = plan(position(7 * HOUR, 7 * HOUR), NOW - delay, NOW, delay)
    assert ahead.gap is not None
    assert ahead.gap.start == NOW - 11 * HOUR - LATENCY  # a newest time that the token cannot have had is a wrong clock


def test_batch_mode_reaches_back_from_now_also_where_the_stream_is_late():
    """Of an outage of 22 hours, 26 hours back are missing, and the oldest two are lost."""
    found = plan(position(22 * HOUR, 26 * HOUR), NOW - 4 * HOUR, NOW, 4 * HOUR)
    assert found.gap is not None
    assert found.gap.start == NOW - 24 * HOUR + MINUTE
    assert found.lost == TimeRange(NOW - 26 * HOUR, found.gap.start)


def test_without_a_committed_update_the_gap_begins_when_the_token_came():
    """Where no update says how far the stream had come, what may have been on its way is fetched, too."""
    assert plan(position(7 * HOUR), NOW, NOW).gap == TimeRange(NOW - 7 * HOUR - 5 * MINUTE, NOW + LATENCY + MILLISECOND)


@pytest.mark.parametrize("copied_ago", [timedelta(), 7 * HOUR, 30 * HOUR])
def test_after_a_token_that_the_sample_client_left_all_that_can_be_is_fetched(copied_ago):
    """S3 says when the object was copied, and nobody when the client stopped: nothing is known to be delivered."""
    left = replace(position(copied_ago), is_left_by_client=True)
    assert plan(left, NOW, NOW) == RecoveryPlan(
        TimeRange(NOW - 24 * HOUR + MINUTE, NOW + LATENCY + MILLISECOND), lost=None
    )


def test_a_stream_quiet_before_and_after_needs_nothing():
    """Where the newest update before the live token is older than what is committed, nothing is missing."""
    found = plan(position(7 * HOUR, 7 * HOUR), NOW - 8 * HOUR, NOW)
    assert (found.gap, found.lost) == (None, None)


@pytest.mark.parametrize("days", [1, 3, 400])
def test_what_lies_beyond_24_hours_is_reported_and_the_rest_fetched(days):
    """A day less a minute is fetched; what lies before it is reported as lost, and nothing lies between the two."""
    start = NOW - timedelta(days=days)
    found = plan(position(timedelta(days=days), timedelta(days=days)), NOW, NOW)
    assert found.lost == TimeRange(start, NOW - 24 * HOUR + MINUTE)
    assert found.gap == TimeRange(NOW - 24 * HOUR + MINUTE, NOW + LATENCY + MILLISECOND)


def test_just_within_24_hours_nothing_is_lost():
    """At the edge of batch mode's reach, less a minute for the way, all is fetched."""
    found = plan(position(23 * HOUR, 24 * HOUR - MINUTE), NOW, NOW)  # less the latency, it would lie beyond
    assert found.lost is None
    assert found.gap.start == NOW - 24 * HOUR + MINUTE


def test_an_unfinished_gap_goes_on_where_it_stood():
    """A recovery that was cut off begins at the rest of its gap, not at the newest update, which lies after it."""
    gap = TimeRange(NOW - 20 * HOUR, NOW - 9 * HOUR)
    found = plan(position(9 * HOUR, 20 * HOUR, gap), NOW, NOW)
    assert found.gap == TimeRange(NOW - 20 * HOUR, NOW + LATENCY + MILLISECOND)


@pytest.mark.parametrize("ahead", [timedelta(seconds=5), 20 * HOUR, timedelta(days=3650)])
def test_an_ingestion_time_after_its_token_does_not_hide_the_gap(ahead):
    """One update with a time in the future must not make what was missed look delivered."""
    found = plan(position(8 * HOUR, 8 * HOUR - ahead), NOW, NOW)
    assert found.gap == TimeRange(NOW - 8 * HOUR - LATENCY, NOW + LATENCY + MILLISECOND)


def test_an_ingestion_time_in_the_future_does_not_make_the_gap_endless():
    """The gap ends by now, whatever the newest update before the live token claims."""
    found = plan(position(8 * HOUR, 8 * HOUR), datetime.max.replace(tzinfo=UTC), NOW)
    assert found.gap.end == NOW + MINUTE + MILLISECOND


moments = st.datetimes(datetime(2024, 3, 1), datetime(2024, 3, 5, 12), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(received=moments, newest=st.none() | moments, live=moments, gap_start=st.none() | moments)
def test_gap_and_loss_together_are_exactly_what_is_missing(received, newest, live, gap_start):
    """Whatever the times, lost and fetched ranges join without hole or overlap, and reach back no more than a day."""
    gap = gap_start and TimeRange(gap_start, gap_start + HOUR)
    at = Position(position_token="t", token_received_at=received, newest_ingestion_time=newest, gap=gap)
    found = plan(at, live, NOW)
    ranges = [part for part in (found.lost, found.gap) if part]
    assert all(part.start < part.end for part in ranges)
    assert all(first.end == second.start for first, second in pairwise(ranges))
    if found.gap:
        assert found.gap.start > NOW - 24 * HOUR
    known_to = gap_start or min(newest or received, received)
    latency = timedelta() if gap_start else LATENCY if newest else 5 * MINUTE
    reach = NOW - 24 * HOUR + MINUTE
    if found.lost:
        assert found.lost.start == known_to < reach
    if found.gap:
        assert (found.gap.start, found.gap.end) == (max(known_to - latency, reach), live + LATENCY + MILLISECOND)
    if not ranges:
        assert known_to - latency >= live + MILLISECOND


DAY = TimeRange(NOW - 25 * HOUR, NOW - HOUR)


@given(
    start=moments,
    length=st.timedeltas(timedelta(microseconds=1), timedelta(hours=24)),
    ends_ago=st.timedeltas(-MINUTE, 2 * MINUTE),
    counts=st.lists(st.sampled_from([0, 9_999, 10_000, 50_000, 50_001, 10**7, None]), min_size=1),
)
def test_slices_cover_a_gap_exactly(start, length, ends_ago, counts):
    """However many updates each slice held (None is too many), they join from start to end without hole or overlap.

    This holds for the times as they are sent to the server too, in milliseconds.
    """
    gap = TimeRange(start, start + length)
    there = gap.end + ends_ago
    slices, covered = Slices(gap, there), []
    for at in range(100_000):
        count = counts[at % len(counts)]
        if count is None and slices.can_shrink:
            slices.shrink()
        covered.append(slices.current)
        assert slices.rest == (TimeRange(slices.current.end, gap.end) if slices.current.end < gap.end else None)
        if not slices.advance(10**7 if count is None else count):
            break
    assert covered[0].start == gap.start
    assert covered[-1].end == gap.end
    assert all(part.start < part.end for part in covered)
    assert all(first.end == second.start for first, second in pairwise(covered))
    assert all(part.end - part.start < HOUR + 2 * MINUTE for part in covered)
    assert all(part.start <= there - HALF_A_MINUTE for part in covered[1:])
    assert all(part.end - part.start >= timedelta(seconds=1) for part in covered[:-1])
    sent = [(rfc3339(part.start), rfc3339(part.end)) for part in covered]
    assert all(first[1] == second[0] for first, second in pairwise(sent))


def test_no_slice_begins_later_than_now():
    """A gap may end after now, by a clock ahead of ours or a wrong one; what begins there is refused by the server."""
    wanted = plan(position(timedelta(seconds=5), timedelta(seconds=5)), NOW + HOUR, NOW).gap
    assert wanted == TimeRange(NOW - timedelta(seconds=5) - LATENCY, NOW + MINUTE + MILLISECOND)
    slices = Slices(wanted, NOW)
    while slices.advance(0):
        assert slices.current.start <= NOW - HALF_A_MINUTE
        while slices.can_shrink:
            slices.shrink()
    assert slices.current.end == wanted.end


@pytest.mark.parametrize(
    ("updates", "then"), [(9_999, 4 * MINUTE), (10_000, 2 * MINUTE), (50_000, 2 * MINUTE), (50_001, MINUTE)]
)
def test_the_size_of_a_slice_follows_what_the_last_one_held(updates, then):
    """Few updates double the next slice, many halve it, and between 10,000 and 50,000 it stays."""
    slices = Slices(DAY, NOW)
    assert slices.current == TimeRange(DAY.start, DAY.start + HALF_A_MINUTE)
    assert slices.advance(0)
    assert slices.advance(0)
    assert slices.current.end - slices.current.start == 2 * MINUTE
    assert slices.advance(updates)
    assert slices.current.end - slices.current.start == then


def test_an_hour_that_holds_too_much_is_cut_to_half_a_minute_at_once():
    """By halves, seven requests in a row would bring the same updates until they were too many again."""
    slices = Slices(DAY, NOW)
    while slices.current.end - slices.current.start < HOUR:
        assert slices.advance(0)
    slices.shrink()
    assert slices.current.end - slices.current.start == HALF_A_MINUTE


@pytest.mark.parametrize(("updates", "bound"), [(0, HOUR), (10**9, HALF_A_MINUTE)])
def test_slices_stay_between_half_a_minute_and_an_hour(updates, bound):
    """A quiet night is not asked for at once, and a rush does not shrink requests without end."""
    slices = Slices(DAY, NOW)
    for _ in range(12):
        assert slices.advance(updates)
    assert slices.current.end - slices.current.start == bound


def test_a_slice_that_holds_too_much_is_cut_in_half_and_those_after_it_too():
    """Down to a second; they grow again only where they hold few."""
    slices = Slices(DAY, NOW)
    sizes = []
    while slices.can_shrink:
        slices.shrink()
        sizes.append((slices.current.end - slices.current.start).total_seconds())
    assert slices.current.start == DAY.start
    assert sizes == [15, 7.5, 3.75, 1.875]
    for updates, seconds in [(200_000, 1.875), (20_000, 1.875), (9_000, 3.75)]:
        assert slices.advance(updates)
        assert (slices.current.end - slices.current.start).total_seconds() == seconds
