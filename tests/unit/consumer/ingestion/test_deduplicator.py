"""Repeats: what the server sends again after a reconnect is dropped, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from consumer.ingestion.deduplicator import KEPT_INTERVALS, RepeatFilter
from consumer.stream.messages import TargetUpdate

READ_AT = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


class Feed:
    """A feed of lines 0, 1, 2, ... and a reader that hands on what the filter lets through.

    A token is the number of the line it stands after. As in the consumer, a token equal to the last one is no news.
    """

    def __init__(self):
        self.filter = RepeatFilter()
        self.handed_on = []
        self.tokens = [0]

    def send(self, number):
        """The server sends a line."""
        if not self.filter.is_repeat(b"line %d" % number):
            self.handed_on.append(number)

    def token(self, number):
        """The server sends a token: every line below `number` was sent."""
        if number != self.tokens[-1]:
            self.tokens.append(number)
            self.filter.next_interval()


def remembered(repeats):
    """How many digests a filter holds."""
    return sum(map(len, repeats._intervals))


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
        known = sorted(set(feed.tokens))
        start = min(feed.tokens[-1], known[max(0, len(known) - 1 - plan["resumes_earlier_by"])])
        for offset in range(plan["lines"]):
            feed.send(start + offset)
            furthest = max(furthest, start + offset + 1)
            if offset in plan["token_after"]:
                for _ in range(plan["tokens_repeated"]):
                    feed.token(start + offset + 1)
        assert feed.handed_on == list(range(furthest))


@given(st.lists(st.integers(0, 50), max_size=200), st.sets(st.integers(0, 200)))
def test_a_line_is_never_dropped_the_first_time(numbers, tokens):
    """Nothing new is taken for a repeat, whatever came before it."""
    repeats, seen = RepeatFilter(), set()
    for at, number in enumerate(numbers):
        if number not in seen:
            assert not repeats.is_repeat(b"line %d" % number)
            seen.add(number)
        else:
            repeats.is_repeat(b"line %d" % number)
        if at in tokens:
            repeats.next_interval()


def test_more_tokens_in_the_repeated_part_make_no_difference():
    """On the first connection 100 lines came without a token; resumed, there is a token after each of them."""
    feed = Feed()
    for number in range(100):
        feed.send(number)
    for number in range(110):
        feed.send(number)
        feed.token(number + 1)
    assert feed.handed_on == list(range(110))


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
    """However long the run, no more lines are remembered than the last few intervals held."""
    repeats = RepeatFilter()
    for interval in range(100):
        for number in range(50):
            repeats.is_repeat(b"line %d of %d" % (number, interval))
        repeats.next_interval()
        assert remembered(repeats) <= KEPT_INTERVALS * 50


def test_a_server_that_sends_everything_twice_fills_no_memory():
    """Repeats that never end beside new lines do not keep the old ones from being forgotten."""
    repeats = RepeatFilter()
    for interval in range(100):
        for number in [*range(50), *range(50)]:
            repeats.is_repeat(b"line %d of %d" % (number, interval))
        repeats.next_interval()
        assert remembered(repeats) <= KEPT_INTERVALS * 50


def test_a_line_that_comes_for_ever_keeps_no_other_remembered():
    """One line sent again in every interval does not keep the lines between its first and last sighting."""
    repeats = RepeatFilter()
    for interval in range(100):
        for number in range(50):
            repeats.is_repeat(b"line %d of %d" % (number, interval))
        repeats.is_repeat(b"again")
        repeats.next_interval()
        assert remembered(repeats) <= KEPT_INTERVALS * 50 + 1


def test_a_repeat_counts_as_new_again():
    """A line seen again lies after the newest token, so it is remembered as long as a new one would be."""
    repeats = RepeatFilter(kept_intervals=2)
    repeats.is_repeat(b"a")
    for new in (b"1", b"2", b"3", b"4"):
        repeats.is_repeat(new)
        assert repeats.is_repeat(b"a")
        repeats.next_interval()


def test_what_is_not_committed_yet_is_remembered_longer():
    """While commits lag behind, the lines since the last one must be known: the next run may go back that far."""
    repeats = RepeatFilter()
    for interval in range(10):
        assert not repeats.is_repeat(b"line of %d" % interval)
        repeats.next_interval(interval)
    assert all(repeats.is_repeat(b"line of %d" % interval) for interval in range(10))


@given(st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=12))
def test_a_list_at_a_time_is_line_by_line(batches):
    """What is new in a list of updates is what is new when each is asked for by itself, through tokens too."""
    at_a_time, one_by_one = RepeatFilter(), RepeatFilter()
    for numbers in batches:
        updates = [TargetUpdate("A", READ_AT, data=b"%d" % number) for number in numbers]
        assert list(at_a_time.new_ones(updates)) == [one for one in updates if not one_by_one.is_repeat(one.data)]
        for repeats in (at_a_time, one_by_one):
            repeats.next_interval()
        assert list(at_a_time._intervals) == list(one_by_one._intervals)
