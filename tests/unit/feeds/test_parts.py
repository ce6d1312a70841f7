"""The small parts: the count of what is malformed, connections, and the pump."""

from __future__ import annotations

import math
import threading

import pytest
from botocore import exceptions

from consumer.backoff import Backoff
from consumer.errors import PublishError
from feeds.kinesis import sentence
from feeds.malformed import Malformed
from feeds.pump import pump
from feeds.receiver import Connection


def test_malformed_lines_are_logged_once_a_minute_in_bounded_text():
    """A million damaged lines are counted, and are two lines of the log."""
    readings, now = [], [0.0]
    malformed = Malformed(readings.append, lambda: now[0])
    for _ in range(1000):
        malformed.note("not ASCII", b"\x1b[31m" + b"X" * 5000)
    now[0] = 60.0
    malformed.note("not ASCII " * 100, b"MSG")
    assert malformed.count == 1001
    assert [text.split(";")[0] for text in readings] == ["malformed, left out: 1", "malformed, left out: 1000"]
    assert all(len(text) < 250 and text.isprintable() for text in readings)


class Longest:
    """Randomness that always gives the bound."""

    @staticmethod
    def uniform(_low, high):
        return high


def test_a_receiver_that_comes_and_goes_is_waited_for_longer_each_time():
    """Only one that has worked for a while is tried again at once."""
    readings, now, stop = [], [0.0], threading.Event()
    connection = Connection("it", readings.append, Backoff(1.0, 30.0, Longest()), lambda: now[0])
    for _ in range(3):
        connection.works("hearing aircraft")
        connection.failed("gone")
    assert [text.rpartition(" in ")[2] for text in readings if "gone" in text] == ["1.0 s", "2.0 s", "4.0 s"]
    stop.set()
    assert not connection.wait(stop)
    now[0] += 4.0
    assert connection.wait(threading.Event())
    connection.works("hearing aircraft")
    now[0] += 31.0
    connection.failed("gone")
    assert readings[-1].endswith("trying again in 1.0 s")


class Numbers:
    """A source of lines, one a second."""

    kind, endless, start, identity = "numbers", False, 1000.0, "numbers"

    def __init__(self, count=10):
        self._count = count

    def updates(self):
        """Yield them."""
        for number in range(self._count):
            yield self.start + number, b"%d" % number


class StandingClock:
    """A clock that goes on only by being waited on."""

    def __init__(self):
        self.time, self.waits = 0.0, 0

    def now(self):
        return self.time

    def wait(self, event, seconds):
        self.time += seconds
        self.waits += 1
        return event.is_set()


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 9.0), (3.0, 3.0), (math.inf, 0.0)])
def test_lines_come_in_their_time(speed, seconds):
    """At the pace of their ingestion times, faster by the speed, or all at once."""
    clock, taken = StandingClock(), []
    pump(Numbers(), taken.extend, speed=speed, duration=None, stop=threading.Event(), clock=clock)
    assert taken == [b"%d" % number for number in range(10)]
    assert clock.time == pytest.approx(seconds, abs=0.1)


def test_all_at_once_comes_a_call_at_a_time():
    """However long the source, no more than one full PutRecords call is held."""
    taken = []
    pump(Numbers(1200), taken.append, speed=math.inf, duration=None, stop=threading.Event(), clock=StandingClock())
    assert [len(lines) for lines in taken] == [500, 500, 200]


def test_a_taker_that_is_slow_loses_nothing():
    """What became due meanwhile comes at once afterwards."""
    clock, taken = StandingClock(), []

    def take(lines):
        taken.append(len(lines))
        clock.time += 5.0

    pump(Numbers(), take, speed=1.0, duration=None, stop=threading.Event(), clock=clock)
    assert sum(taken) == 10
    assert max(taken) > 1


def test_the_pump_stops_when_asked_and_after_its_duration():
    """Lines of 3.5 seconds are four; after a stop there are no more."""
    clock, taken, stop = StandingClock(), [], threading.Event()
    pump(Numbers(), taken.extend, speed=math.inf, duration=3.5, stop=stop, clock=clock)
    assert len(taken) == 4
    stopped = []

    def take(lines):
        stopped.extend(lines)
        stop.set()

    pump(Numbers(), take, speed=1.0, duration=None, stop=stop, clock=clock)
    assert stopped == [b"0"]


def _refusal(code):
    answer = {"Error": {"Code": code, "Message": "m\x1b[2J"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return exceptions.ClientError(answer, "PutRecords")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (exceptions.NoRegionError(), "no AWS region is set"),
        (exceptions.NoCredentialsError(), "no AWS credentials were found"),
        (exceptions.ParamValidationError(report="x"), "'updates' is not a stream's name"),
        (exceptions.EndpointConnectionError(endpoint_url="http://x"), "cannot be reached"),
        (_refusal("ResourceNotFoundException"), "there is no such stream"),
        (_refusal("AccessDeniedException"), "access denied"),
        (_refusal("ExpiredTokenException"), "AWS does not accept these credentials"),
        (_refusal("ValidationException"), "ValidationException: m"),
    ],
)
def test_errors_are_sentences(error, says):
    """What happened, to which stream, what to do; also where the publisher says it, and without control characters."""
    wrapped = PublishError("the updates since the committed position token will be read again")
    wrapped.__cause__ = error
    for one in (error, wrapped):
        readings = sentence(one, "updates", "eu-west-1")
        assert says in readings
        assert readings.isprintable()
