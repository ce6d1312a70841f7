"""When a run that reads periodically has what there was when it began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consumer.ingestion.catch_up import CatchUp

BEGAN = datetime(2024, 3, 4, 12, tzinfo=UTC)


def caught_up():
    """A judgement from `BEGAN` on, of a connection opened at second 100."""
    judge = CatchUp(BEGAN, quiet_seconds=20)
    judge.connected(100)
    return judge


def test_it_goes_on_while_updates_of_before_come():
    """However long it takes, and however many tokens pass: the run is behind."""
    judge = caught_up()
    for number in range(1, 1000):
        assert not judge.is_done(number, BEGAN - timedelta(milliseconds=1000 - number), 100 + number)


def test_it_is_done_with_the_first_interval_that_holds_an_update_of_after_its_beginning():
    """All that was ingested before has come by then, but for what is late, which the next run gets."""
    judge = caught_up()
    assert not judge.is_done(10, BEGAN - timedelta(seconds=1), 101)
    assert judge.is_done(11, BEGAN, 102)


def test_without_updates_it_is_done_when_the_server_had_a_turn():
    """Tokens alone: the second of them comes after more than an interval in which something could have come."""
    judge = caught_up()
    assert not judge.is_done(0, None, 115)
    assert judge.is_done(0, None, 130)


def test_a_time_of_an_earlier_run_proves_nothing():
    """The position's own newest time may be a wrong clock's: only what came in this interval is looked at."""
    judge = caught_up()
    assert not judge.is_done(0, BEGAN + timedelta(hours=1), 101)


def test_updates_begin_the_silence_again():
    """Few updates pass, none of them new: it is quiet since the last of them."""
    judge = caught_up()
    assert not judge.is_done(1, BEGAN - timedelta(hours=1), 119)
    assert not judge.is_done(1, BEGAN - timedelta(hours=1), 134)
    assert judge.is_done(1, BEGAN - timedelta(hours=1), 149)


def test_a_connection_begins_the_silence_again():
    """While none was open nothing could come."""
    judge = caught_up()
    judge.connected(200)
    assert not judge.is_done(0, None, 215)
    assert judge.is_done(0, None, 230)


def test_updates_without_a_time_of_ingestion_do_not_end_it():
    """They say nothing of how far the stream has come."""
    assert not caught_up().is_done(5, None, 101)
