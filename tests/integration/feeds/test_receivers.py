"""A receiver on the network: cut lines, garbage, hang-ups, error pages; nothing ends the reading, all is counted."""

from __future__ import annotations

import json
import threading
import time

import pytest

from consumer.backoff import Backoff
from feeds.aircraft_json_receiver import AircraftJsonReceiver
from feeds.malformed import Malformed
from feeds.sbs_receiver import SbsReceiver
from tests.support.conditions import wait_until
from tests.support.sbs_server import SbsServer, position, squawk

AT_ONCE = Backoff(base=0.001, cap=0.001)


@pytest.fixture
def reading():
    """A function that reads a receiver on its own thread; gives what was heard so far, and what was printed."""
    stop, threads, receivers = threading.Event(), [], []

    def start(kind, where, **options):
        messages = []
        malformed = Malformed(messages.append)
        receiver = kind(where, malformed, now=time.time, tell=messages.append, backoff=AT_ONCE, **options)
        heard = []

        def read():
            while not stop.is_set():
                heard.extend(receiver.read(stop))

        threads.append(threading.Thread(target=read))
        receivers.append(receiver)
        threads[-1].start()
        return heard, messages, malformed

    yield start
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    for receiver in receivers:
        receiver.close()


def _latitudes(heard):
    return [one.position.latitude for one in heard if one.position]


def test_lines_come_in_whatever_pieces(sbs_server, reading):
    """A line may be cut anywhere by the network; heartbeats are no lines."""
    lines = b"\r\n" + position("4CA2D6", 51.5) + b"\n" + squawk("4CA2D6", "7700") + position("4CA2D7", 52.5)
    server = sbs_server([lines[place : place + 7] for place in range(0, len(lines), 7)])
    heard, _, malformed = reading(SbsReceiver, ("127.0.0.1", server.port))
    wait_until(lambda: len(heard) == 3)
    assert _latitudes(heard) == [51.5, 52.5]
    assert heard[1].values == {"squawk": "7700", "on_ground": False}
    assert malformed.count == 0


def test_garbage_is_counted_and_the_next_line_is_read(sbs_server, reading):
    """Binary data, a page of HTML, a line without an end: what follows the next line end is read."""
    server = sbs_server(
        [
            b"\x1a2\x00\xff\n",
            b"<html>\n",
            position("4CA2D6", 51.5),
            b"X" * 200_000,
            b"Y" * 10,
            b"\n",
            position("4CA2D6", 52.5),
        ]
    )
    heard, messages, malformed = reading(SbsReceiver, ("127.0.0.1", server.port))
    wait_until(lambda: len(heard) == 2)
    assert _latitudes(heard) == [51.5, 52.5]
    assert malformed.count == 3
    assert len([text for text in messages if "malformed" in text]) == 1


def test_it_connects_again_and_a_cut_line_is_not_joined_to_the_next(sbs_server, reading):
    """After each hang-up, and only whole lines count."""
    whole = position("4CA2D6", 51.5)
    server = sbs_server([whole, whole[:40]], [], [position("4CA2D6", 52.5)])
    heard, messages, malformed = reading(SbsReceiver, ("127.0.0.1", server.port))
    wait_until(lambda: len(heard) == 2)
    assert _latitudes(heard) == [51.5, 52.5]
    assert malformed.count == 1
    assert server.connections == 3
    assert sum("ended by the receiver; trying again in" in text for text in messages) == 2


def test_a_receiver_that_is_not_there_yet_is_waited_for(sbs_server, reading):
    """Nobody has to start the two in an order."""
    gone = SbsServer()
    gone.close()
    heard, messages, _ = reading(SbsReceiver, ("127.0.0.1", gone.port))
    wait_until(lambda: any("cannot be reached: Connection refused" in text for text in messages))
    sbs_server([position("4CA2D6", 51.5)], port=gone.port)
    wait_until(lambda: heard)
    wait_until(lambda: messages[-1].endswith("hearing aircraft"))


def _document(now, **entry):
    return json.dumps({"now": now, "aircraft": [{"hex": "4ca2d6", **entry}]}).encode()


def test_aircraft_json_is_polled_and_only_news_is_sent(json_server, reading):
    """Through error pages and documents that are none; the last document stays, and is news once."""
    now = time.time()
    first = _document(now, seen=0.1, seen_pos=0.5, lat=51.5, lon=0.0)
    second = _document(now + 1, seen=1.1, seen_pos=0.2, lat=52.5, lon=0.0)
    server = json_server((503, b"busy"), (200, first), (200, b"<html>"), (200, second), (200, second))
    heard, messages, malformed = reading(AircraftJsonReceiver, server.url, each=0.01)
    wait_until(lambda: server.asked >= 7)
    assert _latitudes(heard) == [51.5, 52.5]
    assert malformed.count == 1
    assert any("503" in text for text in messages)
    assert any("not an aircraft.json; expected the address of readsb's" in text for text in messages)
