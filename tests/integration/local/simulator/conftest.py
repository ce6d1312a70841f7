"""A running Tracking Stream, clients that read it line by line, and a clock that the test owns."""

from __future__ import annotations

import json
import math

import pytest
import requests

from local.simulator import times
from local.simulator.feed import Feed
from local.simulator.server import TrackingStreamServer
from tests.manual_clock import ManualClock

START = times.parse("2024-03-04T23:24:00Z")
TOKEN = "secret-of-the-tests"
TIMEOUT = 90


class UpdateSource:
    """A source of updates at given seconds after `START`; fields of each may be given."""

    kind, endless, start = "list", False, START

    def __init__(self, seconds, fields=None, identity="tests"):
        self._seconds, self._fields, self.identity = seconds, fields or {}, identity

    def updates(self):
        """Yield the updates, numbered in `n`."""
        for n, second in enumerate(self._seconds):
            moment = times.with_milliseconds(round((START + second) * 1000))
            target = {"ingestion_time": moment, "icao_address": f"{n % 5:06X}", "timestamp": moment, "n": n}
            yield START + second, json.dumps({"target": target | self._fields.get(n, {})}).encode()


class Client:
    """One open stream, read message by message."""

    def __init__(self, url, token=TOKEN, **parameters):
        self.response = requests.get(
            url, params=parameters, headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=TIMEOUT
        )
        self._lines = self.response.iter_lines(chunk_size=None)

    def message(self):
        """Return the next message."""
        return json.loads(next(self._lines))

    def rest(self):
        """Return all messages until the response ends."""
        return [json.loads(line) for line in self._lines]

    def until(self, kind):
        """Return the messages up to and with the first of a kind."""
        messages = [self.message()]
        while kind not in messages[-1]:
            messages.append(self.message())
        return messages

    def updates(self, count):
        """Return the numbers of the next `count` updates, passing over other messages."""
        numbers = []
        while len(numbers) < count:
            message = self.message()
            if "target" in message:
                numbers.append(message["target"]["n"])
        return numbers


@pytest.fixture
def clock():
    """A clock that stands still until it is advanced."""
    return ManualClock()


@pytest.fixture
def serve(clock):
    """A function that serves updates at given seconds, all released at once by default."""
    running = []

    def run(seconds, *, fields=None, speed=math.inf, identity="tests", start=True, **settings):
        keep = {"keep_bytes": settings.pop("keep_bytes", None)}
        feed = Feed(UpdateSource(seconds, fields, identity), speed=speed, clock=clock, **keep)
        settings = {"token": TOKEN, "token_interval": 15, "clock": clock} | settings
        server = TrackingStreamServer(feed, **settings)
        server.start()
        running.append((feed, server))
        if start:
            feed.start()
            if math.isinf(speed):
                assert feed.finished.wait(TIMEOUT)
        return server

    yield run
    for feed, server in running:
        feed.stop()
        server.stop()


@pytest.fixture
def connect():
    """A function that opens a stream and checks that it is one."""
    clients = []

    def run(server, **parameters):
        client = Client(server.url, **parameters)
        clients.append(client)
        assert client.response.status_code == 200, client.response.text
        assert client.message()["status"]["code"] == 100
        return client

    yield run
    for client in clients:
        client.response.close()


@pytest.fixture
def ask():
    """A function that makes one request and returns the whole answer."""

    def run(server, query="", *, token=TOKEN, method="GET", path=None):
        url = path and server.url.replace("/v2/targets/stream", path)
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return requests.request(method, f"{url or server.url}{query}", headers=headers, timeout=TIMEOUT)

    return run
