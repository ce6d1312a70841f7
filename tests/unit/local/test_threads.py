"""Threads that end with an error are noticed."""

from __future__ import annotations

import functools
import threading

from local.loopback import LoopbackServer
from local.threads import ThreadWatch, report_error
from tests.support.conditions import wait_until


def _die():
    raise ValueError("year 10000 is out of range")


def test_a_thread_that_dies_is_reported():
    """Its name, what it died of, and where."""
    messages = []
    with ThreadWatch(messages.append) as watch:
        dying = threading.Thread(target=_die, name="feed")
        dying.start()
        dying.join()
    assert watch.failed.is_set()
    assert watch.failures == messages
    assert messages[0].startswith("the thread 'feed' ended with an error: ValueError: year 10000 is out of range (")
    assert __file__ in messages[0]
    assert "Traceback" not in messages[0]


def test_who_wants_to_see_it_all_gets_the_traceback():
    """`--verbose`."""
    messages = []
    with ThreadWatch(messages.append, traces=True):
        dying = threading.Thread(target=_die)
        dying.start()
        dying.join()
    assert "Traceback (most recent call last)" in messages[0]


def test_a_thread_that_ends_is_no_news():
    """Nor one that asks to end."""
    with ThreadWatch(lambda _: None) as watch:
        for target in (lambda: None, lambda: exec("raise SystemExit")):
            ending = threading.Thread(target=target)
            ending.start()
            ending.join()
    assert not watch.failed.is_set()


def test_the_hook_is_given_back():
    """What comes after a run is not its business."""
    before = threading.excepthook
    with ThreadWatch(lambda _: None):
        assert threading.excepthook is not before
    assert threading.excepthook is before


def test_what_a_server_catches_counts_too():
    """A request's error ends in the server's hands, not the thread's."""
    with ThreadWatch(lambda _: None) as watch:
        try:
            _die()
        except ValueError:
            report_error()
    assert "ValueError" in watch.failures[0]


def test_a_connection_that_dies_of_our_own_fault_is_noticed():
    """A handler that raises; a client that is gone is none."""
    import socket
    from http.server import BaseHTTPRequestHandler

    class Handler(BaseHTTPRequestHandler):
        def handle(self):
            if self.rfile.readline().strip() == b"gone":
                raise ConnectionResetError
            _die()

    server = LoopbackServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    try:
        with ThreadWatch(lambda _: None) as watch:
            for line, failures in ((b"gone\n", 0), (b"die\n", 1)):
                with socket.create_connection(server.server_address) as client:
                    client.sendall(line)
                    assert client.recv(1) == b""
                wait_until(functools.partial(lambda expected: len(watch.failures) == expected, failures))
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
