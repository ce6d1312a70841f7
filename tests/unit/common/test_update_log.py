"""Lines about single updates: the same updates in every function, few of them, nothing secret, none unasked."""

from __future__ import annotations

import json
import logging

import pytest

from common import update_log
from common.update_log import LINES_AT_ONCE, UpdateLog, update_id


class Log:
    """Keeps what is logged at DEBUG."""

    def __init__(self, level=logging.DEBUG):
        self.log_level = level
        self.lines = []

    def debug(self, message, *, extra):
        self.lines.append({"message": message} | extra)


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self):
        return self.now


def updates(count, first=0):
    """Updates as they are received."""
    at = "2024-03-04T23:24:00Z"
    return [
        json.dumps({"icao_address": f"{n:06X}", "timestamp": at, "flight_id": f"f{n}"}).encode()
        for n in range(first, first + count)
    ]


@pytest.fixture
def clock():
    """Seconds that the test decides."""
    return Clock()


def test_an_update_has_one_name_wherever_it_is_read():
    """A record ends with a line end, a line of an envelope does not."""
    [data] = updates(1)
    assert update_id(data) == update_id(data + b"\n")
    assert len({update_id(one) for one in updates(100)}) == 100


def test_lines_are_bounded_however_much_comes(clock):
    """Ten at once, and one a second from then on, of a hundred thousand updates."""
    log = UpdateLog(Log(), clock)
    shown = 0
    for second in range(100):
        clock.now = float(second)
        shown += len(list(log.pick(updates(1_000, first=1_000 * second))))
    assert LINES_AT_ONCE <= shown <= LINES_AT_ONCE + 100


def test_few_updates_are_all_shown_again_when_the_many_are_over(clock):
    """A night's traffic is seen whole although the day's was not."""
    log = UpdateLog(Log(), clock)
    list(log.pick(updates(10_000)))
    for _ in range(30):
        clock.now += 60
        list(log.pick([]))
    assert len(list(log.pick(updates(3)))) == 3


def test_what_a_busier_function_picks_the_others_pick_too(clock):
    """So one update can be followed: the sample of one in many is part of the sample of one in fewer."""
    busy, idle = UpdateLog(Log(), clock), UpdateLog(Log(), clock)
    list(busy.pick(updates(5_000)))
    list(idle.pick(updates(300)))
    clock.now = 10.0
    batch = updates(200, first=5_000)
    of_busy = set(busy.pick(batch))
    of_idle = set(idle.pick([data + b"\n" for data in batch]))
    assert of_busy < {data.rstrip() for data in of_idle}


def test_a_line_names_the_update_and_has_nothing_else_of_it(clock):
    """Address and times, cleaned and cut; no text of the update beside them, whatever it holds."""
    log = Log()
    data = b'{"icao_address":"A\\u001b[31m","timestamp":"%b","position_token":"secret-token"}' % (b"9" * 500)
    UpdateLog(log, clock).decide(data, "notify", subject="pattern")
    UpdateLog(log, clock).show(b"\xff", "published")
    [line, odd] = log.lines
    assert (line["decision"], line["subject"], line["update_id"]) == ("notify", "pattern", update_id(data))
    assert line["update"]["icao_address"] == "A?[31m"
    assert len(line["update"]["timestamp"]) == 40
    assert "secret-token" not in str(line)
    assert odd["update"] == {"icao_address": None, "timestamp": None, "ingestion_time": None}


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_at_another_level_there_is_none(level, clock):
    """Nothing is made, so that the hot loops ask for None and no more."""
    assert update_log.at_debug(Log(level), clock) is None
    assert update_log.at_debug(Log(), clock) is not None
