"""Receivers that are real servers on loopback, an empty Kinesis stream in moto, and commands as processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.consumer.conftest import State
from tests.support.sbs_server import SbsServer


@pytest.fixture
def sbs_server():
    """A function that starts a receiver's TCP server; each is closed after the test."""
    with contextlib.ExitStack() as stack:

        def start(*scripts, **options):
            server = SbsServer(*scripts, **options)
            stack.callback(server.close)
            return server

        yield start


class JsonServer(ThreadingHTTPServer):
    """Gives its answers in turn, the last one again and again, and counts how often it was asked."""

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers, self.asked = list(answers), 0
        self.url = f"http://127.0.0.1:{self.server_port}/data/aircraft.json"


class _Handler(BaseHTTPRequestHandler):
    server: JsonServer

    def do_GET(self):
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.server.asked += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def json_server():
    """A function that starts an HTTP server with given answers."""
    with contextlib.ExitStack() as stack:

        def start(*answers):
            server = JsonServer(answers)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return server

        yield start


@pytest.fixture
def state(aws):
    """The stream `updates` with two shards, empty."""
    del aws
    return State()


@pytest.fixture
def command(repository):
    """A function that starts a command of `feeds`; whatever still runs after the test is killed."""
    started = []

    def start(name, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", f"feeds.{name}", *arguments],
            cwd=repository,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.communicate()
