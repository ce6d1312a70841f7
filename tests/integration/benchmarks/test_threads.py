"""A thread that dies fails the benchmark: figures without what it did are no figures."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from benchmarks import __main__ as bench
from benchmarks.harness import processes
from benchmarks.harness.processes import BenchmarkError
from tests.support.dying_side import run


def test_a_side_whose_thread_dies_has_failed():
    """The process ends with an error that names the thread, though the side itself returned."""
    assert processes.side("tests.support.dying_side:run", {"dies": False}) == {"updates": 0}
    with pytest.raises(BenchmarkError, match="the thread 'sampler' ended with an error: KeyError: 'nothing'"):
        processes.side("tests.support.dying_side:run", {"dies": True})


def test_a_server_whose_thread_dies_has_failed(capfd):
    """What it did not serve is missing: the benchmark that used it fails, wherever it is by then."""
    with (
        pytest.raises(BenchmarkError, match="server aws ended with 1 while it was measured with"),
        processes.server("aws") as url,
    ):
        _ask_for_nothing(url)
    assert "ended with an error: ValueError: " in capfd.readouterr().err


def _ask_for_nothing(url):
    """Send what is no request, and wait until the server is gone."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port)) as connection:
        connection.sendall(b"no\r\n\r\n")
        while connection.recv(1024):
            pass


def test_a_thread_of_the_command_itself_fails_it(monkeypatch, capsys):
    """The exit code is that of a benchmark that failed."""

    def measure(_options):
        run({"dies": True})
        return 0

    monkeypatch.setattr(bench, "_measure", measure)
    monkeypatch.setattr(bench, "shut_out", lambda _: None)
    assert bench.main([]) == 1
    assert "bench: error: the thread 'sampler' ended with an error: KeyError" in capsys.readouterr().err
