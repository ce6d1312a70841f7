"""Duplicates: what the server sends again after a reconnect or in the next run is dropped, and nothing else is."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from consumer.ingestion.deduplicator import KEPT_INTERVALS, DuplicateFilter, identify
from consumer.stream.messages import StreamUpdate

READ_AT = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


def update(number, text=b""):
    """Update `number`, a second after the one before."""
    at = READ_AT + timedelta(seconds=number)
    return StreamUpdate("A", at, at, data=b"%d %b" % (number, text))


def is_new(duplicates, number):
    """Whether the filter lets update `number` through, by itself."""
    return len(duplicates.new_ones([update(number)])) == 1


class Feed:
    """A feed of updates 0, 1, 2, ... and a reader that hands on what the filter lets through.

    A token is the number of the update it stands before. As in the consumer, a token equal to the last one is no news.
    Each token is committed `lag` tokens later.
    """

    def __init__(self, lag=0):
        self.filter = DuplicateFilter()
        self.handed_on = []
        self.tokens = [0]
        self.lag = lag

    def send(self, number):
        """The server sends an update."""
        if is_new(self.filter, number):
            self.handed_on.append(number)

    def token(self, number):
        """The server sends a token: every line below `number` was sent."""
        if number != self.tokens[-1]:
            self.tokens.append(number)
            closed = len(self.tokens) - 1
            self.filter.next_interval(closed, max(0, closed - self.lag))


def remembered(duplicates):
    """How many digests a filter holds."""
    return len(duplicates._expected) + len(duplicates._current) + sum(len(one.digests) for one in duplicates._segments)


connection = st.fixed_dictionaries(
    {
        "lines": st.integers(0, 30),
        "token_after": st.lists(st.integers(0, 30), max_size=12),
        "tokens_repeated": st.integers(1, 3),
        "resumes_earlier_by": st.integers(0, KEPT_INTERVALS - 2),
    }
)


@given(st.lists(connection, min_size=1, max_size=12))
def test_every_line_is_handed_on_exactly_once_through_any_disconnects(connections):
    """Wherever the server disconnects, and wherever tokens fall on each connection, each line is handed on once.

    They are handed on in order, too. The server resumes at the last token, or up to two tokens before the newest.
    """
    feed, furthest = Feed(), 0
    for plan in connections:
        feed.filter.connected()
        known = sorted(set(feed.tokens))
        start = min(feed.tokens[-1], known[max(0, len(known) - 1 - plan["resumes_earlier_by"])])
        for offset in range(plan["lines"]):
            feed.send(start + offset)
            furthest = max(furthest, start + offset + 1)
            if offset in plan["token_after"]:
                for _ in range(plan["tokens_repeated"]):
                    feed.token(start + offset + 1)
        assert feed.handed_on == list(range(furthest))


@given(st.lists(st.integers(0, 50), max_size=200), st.sets(st.integers(0, 200)), st.sets(st.integers(0, 200)))
def test_an_update_is_never_dropped_the_first_time(numbers, tokens, reconnects):
    """Nothing new is taken for a duplicate, whatever came before it."""
    duplicates, seen = DuplicateFilter(), set()
    for at, number in enumerate(numbers):
        assert is_new(duplicates, number) or number in seen
        seen.add(number)
        if at in tokens:
            duplicates.next_interval(at, at)
        if at in reconnects:
            duplicates.connected()


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(1, 12), st.sets(st.integers(0, 200)), st.integers(0, 15)),
        min_size=1,
        max_size=6,
    )
)
def test_no_run_of_a_process_hands_on_what_another_has(runs):
    """Run after run, each from the last committed token, whatever was not acknowledged and wherever tokens fall."""
    duplicates, acknowledged, committed = DuplicateFilter(), [], 0
    for length, every, refused, lag in runs:
        begun_at, tokens, unacknowledged = committed, 0, []
        for number in range(begun_at, begun_at + length):
            if is_new(duplicates, number):
                (unacknowledged if number in refused else acknowledged).append(number)
            if number % every == 0:
                tokens += 1
                safe = [token for token in range(begun_at, number + 1) if token % every == 0]
                safe = [token for token in safe if not unacknowledged or token < unacknowledged[0]]
                done = max(0, min(len(safe), tokens - lag))
                committed = safe[done - 1] + 1 if done else begun_at
                duplicates.next_interval(tokens, done)
        duplicates = duplicates.after_the_run(map(update, unacknowledged))
    assert len(acknowledged) == len(set(acknowledged))
    assert set(range(committed)) <= set(acknowledged)


def test_more_tokens_in_the_repeated_part_make_no_difference():
    """On the first connection 100 updates came without a token; resumed, there is a token after each of them."""
    feed = Feed()
    for number in range(100):
        feed.send(number)
    feed.filter.connected()
    for number in range(110):
        feed.send(number)
        feed.token(number + 1)
    assert feed.handed_on == list(range(110))


def test_new_updates_between_repeats_make_no_difference():
    """Of 1,000 updates Kinesis lacked every tenth: sent again with many tokens, each of the others is recognised."""
    feed = Feed()
    for number in range(1000):
        feed.send(number)
        feed.token(number + 1)
    feed.filter = feed.filter.after_the_run(map(update, range(0, 1000, 10)))
    feed.handed_on, feed.tokens, feed.lag = [], [0], 1000
    first = next(number for number in range(1000) if number > 1000 - KEPT_INTERVALS)
    for number in range(first, 1010):
        feed.send(number)
        feed.token(number + 1)
    assert feed.handed_on == list(range(1000, 1010))


def test_the_server_may_resume_some_tokens_earlier_than_asked():
    """What lies up to `KEPT_INTERVALS` minus one tokens before the last is still recognised."""
    feed = Feed()
    for number in range(10):
        feed.send(number)
        feed.token(number + 1)
    for number in range(10 - (KEPT_INTERVALS - 1), 12):
        feed.send(number)
    assert feed.handed_on == list(range(12))


def test_old_digests_are_forgotten():
    """However long the run, no more is remembered than the last few intervals held, duplicates among it or not."""
    duplicates = DuplicateFilter()
    for interval in range(100):
        for number in [*range(50), *range(50)]:
            duplicates.new_ones([update(interval * 50 + number)])
        is_new(duplicates, -1)
        duplicates.next_interval(interval, interval)
        assert remembered(duplicates) <= KEPT_INTERVALS * 50 + 1


def test_a_repeat_counts_as_new_again():
    """An update seen again lies after the newest token, so it is remembered as long as a new one would be."""
    duplicates = DuplicateFilter(kept_intervals=2)
    is_new(duplicates, 0)
    for number in range(1, 5):
        is_new(duplicates, number)
        assert not is_new(duplicates, 0)
        duplicates.next_interval(number, number)


def test_what_is_not_committed_yet_is_remembered():
    """While commits lag behind, all since the last one must be known, however many tokens that are."""
    duplicates = DuplicateFilter()
    for interval in range(100):
        assert is_new(duplicates, interval)
        duplicates.next_interval(interval + 1, 0)
    assert len(duplicates._segments) <= 16
    assert not any(is_new(duplicates, interval) for interval in range(100))


def test_what_never_comes_again_is_dropped_in_the_end():
    """A server that does not resume where it is asked to must not have the process remember for ever."""
    duplicates = DuplicateFilter()
    is_new(duplicates, 0)
    duplicates = duplicates.after_the_run([])
    for number in range(1, 100):
        is_new(duplicates, number)
        duplicates.next_interval(number, number)
    assert remembered(duplicates) <= KEPT_INTERVALS + 1


def test_there_is_a_bound_and_what_is_not_committed_lies_within_it():
    """Committed digests make room first; with none left the filter is full, and says so before it forgets."""
    duplicates = DuplicateFilter(max_digests=100)
    for number in range(90):
        is_new(duplicates, number)
        if number % 30 == 29:
            duplicates.next_interval(number // 30 + 1, 0)
    assert not duplicates.is_full
    for number in range(90, 120):
        is_new(duplicates, number)
    duplicates.forget(0)
    assert duplicates.is_full
    duplicates.forget(1)
    assert not duplicates.is_full
    assert not any(is_new(duplicates, number) for number in range(30, 120))


def test_expected_digests_have_a_bound_too():
    """Reconnects without end, each to where nothing comes again, fill no memory."""
    duplicates = DuplicateFilter(max_digests=100)
    for number in range(1000):
        is_new(duplicates, number)
        duplicates.connected()
        duplicates.forget(0)
        assert remembered(duplicates) <= 200


def test_two_updates_of_one_key_are_two():
    """A receiver that measures twice within a millisecond sends two updates, in one interval at least."""
    duplicates = DuplicateFilter()
    at = READ_AT
    one, other = (StreamUpdate("A", at, at, data=b'{"n":%b}' % number) for number in (b"18", b"81"))
    assert duplicates.new_ones([one, other]) == [one, other]
    assert duplicates.new_ones([one]) == [one] or duplicates.new_ones([other]) == []
    third = StreamUpdate("A", at, at, data=b'{"n":19}')
    assert duplicates.new_ones([third]) == [third]


def test_the_order_of_members_makes_no_other_update():
    """A server may write the same update another way after a reconnect; without an ingestion time, too."""
    for times in ((READ_AT, READ_AT), (READ_AT, None)):
        one, same, other = (
            StreamUpdate("A", *times, data=data)
            for data in (b'{"a":1,"b":"x"}', b'{"b":"x","a":1}', b'{"a":2,"b":"x"}')
        )
        duplicates = DuplicateFilter()
        assert duplicates.new_ones([one]) == [one]
        duplicates.connected()
        assert duplicates.new_ones([same, other]) == [other]
        assert len(set(identify([one, same, other]).identities)) == 2


@given(st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=12))
def test_a_list_at_a_time_is_one_by_one(batches):
    """What is new in a list of updates is what is new when each is asked for by itself, through tokens too."""
    at_a_time, one_by_one = DuplicateFilter(), DuplicateFilter()
    for at, numbers in enumerate(batches):
        updates = [update(number) for number in numbers]
        assert list(at_a_time.new_ones(updates)) == [one for one in updates if one_by_one.new_ones([one])]
        for duplicates in (at_a_time, one_by_one):
            duplicates.next_interval(at, at)
        assert at_a_time._current == one_by_one._current


def test_what_was_not_acknowledged_is_taken_up_one_by_one():
    """It may be all that memory is allowed for; the next run must not hold it once more to tell it apart."""
    members = b'{"n":%d,"pad":"' + b"x" * 100_000 + b'"}'
    duplicates = DuplicateFilter()
    for number in range(200):
        duplicates.new_ones([StreamUpdate("A", READ_AT, None, data=members % number)])
    tracemalloc.start()
    try:
        successor = duplicates.after_the_run(
            StreamUpdate("A", READ_AT, None, data=members % number) for number in range(200)
        )
        assert tracemalloc.get_traced_memory()[1] < 20 * len(members)
    finally:
        tracemalloc.stop()
    again = [StreamUpdate("A", READ_AT, None, data=members % number) for number in range(200)]
    assert successor.new_ones(again) == again


def test_it_is_known_where_repeats_begin_and_end():
    """What lies before the newest token, what came behind it, and what is new, in whatever connection or run."""
    filter_ = DuplicateFilter()
    filter_.new_ones([update(number) for number in range(4)])
    filter_.next_interval(1, 1)
    filter_.new_ones([update(number) for number in range(4, 7)])
    for one in (filter_, filter_.after_the_run([], 1)):
        one.connected()
        seen = []
        for number in (2, 3, 4, 5, 6, 7):
            one.new_ones([update(number)])
            seen.append(one.is_repeating)
        assert seen == [True, True, True, True, False, False]
