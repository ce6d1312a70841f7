"""An upgrade under traffic, between `ops drain` and `--resume`: a release that cannot read open windows' state."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import replace
from typing import NamedTuple

import pytest

from local.aws.moto import Cloud
from local.deploy import create
from local.function_names import AGGREGATOR
from local.pipeline import Pipeline
from local.run_options import RunOptions
from local.simulator.feed import Feed
from local.simulator.flights import GeneratedTraffic
from local.simulator.server import TrackingStreamServer
from local.source.simulated import SimulatedSource, SimulatedStream
from ops.command_line import main as ops

TOKEN = "the-token"
FAST = 60.0
"""A tick of the schedule in a second rather than in a minute."""


@pytest.fixture
def next_release(repository, tmp_path):
    """The code of a release that knows neither this one's state nor the one before's."""
    root = tmp_path / "src"
    shutil.copytree(repository / "src", root, ignore=shutil.ignore_patterns("__pycache__"))
    path = root / "aggregator" / "state" / "packed_part.py"
    text = path.read_text()
    raised = text.replace("\nVERSION = 4\n", "\nVERSION = 6\n").replace("\nVERSION_3 = 3\n", "\nVERSION_3 = 5\n")
    assert raised.count("= 6\n") - text.count("= 6\n") == 1, "the state's version has another place by now"
    path.write_text(raised)
    return root


class Running(NamedTuple):
    """The whole system, the stream that it reads, and the address of its AWS."""

    pipeline: Pipeline
    stream: SimulatedStream
    endpoint: str


@pytest.fixture
def running(repository):
    """The system reads again and again until it has caught up, while the provider sends without an end."""
    traffic = GeneratedTraffic(rate=40, aircraft=40, seed=5, start=time.time())
    options = RunOptions(
        source=SimulatedSource(traffic=traffic, speed=FAST, token_interval=0.3),
        duration=None,
        window=3,
        stop_when_caught_up=True,
        archive=False,
    )
    with contextlib.ExitStack() as entered:
        cloud = Cloud()
        entered.callback(cloud.stop)
        feed = Feed(traffic, speed=1.0, duration=None)
        server = TrackingStreamServer(feed, token=TOKEN, token_interval=0.3, last_interval=0.2)
        # It begins to send at the present: a run ends when it has what is older than its own beginning.
        stream = entered.enter_context(SimulatedStream(feed, server, TOKEN, starts_late_by=0.0))
        parameters = {
            "StreamUrl": server.url,
            "StartPosition": "BEGINNING",
            "StreamMode": "PROVISIONED",
            "StopWhenCaughtUp": "true",
            "WindowSeconds": "3",
        }
        stack = create(cloud, repository / "template.yaml", name="upgraded", parameters=parameters, secret_value=TOKEN)
        # Without waiting for company several batches make a window, and its state goes from one to the next.
        stack = replace(stack, mappings=tuple(replace(one, batching_window=0) for one in stack.mappings))
        path, root = os.environ["PATH"], repository / "src"
        pipeline = Pipeline(options, stack, cloud, stream, task_root=root, path=path, tell=print)
        entered.enter_context(contextlib.closing(pipeline))
        stream.start()
        pipeline.start()
        yield Running(pipeline, stream, cloud.endpoint)


def wait_for(condition, pipeline):
    """Wait until it is true; what broke meanwhile is said."""
    gives_up = time.monotonic() + 120
    while not condition():
        assert not pipeline.broken()
        assert time.monotonic() < gives_up
        time.sleep(0.02)


def test_an_upgrade_that_changes_the_state_loses_and_doubles_nothing(running, next_release, capsys):
    """Traffic goes on all the time; each window row counts what Kinesis holds, and each update is there once."""
    pipeline, stream, endpoint = running
    aggregator = pipeline.functions[AGGREGATOR]
    wait_for(lambda: aggregator.invocations >= 8, pipeline)
    assert ops(["drain", "--local", endpoint, "--yes"]) == 0
    assert "at rest: no run, nothing unread, no window open" in capsys.readouterr().out
    before, invocations = stream.sent, aggregator.invocations
    pipeline.deploy(next_release)
    wait_for(lambda: stream.sent >= before + 40, pipeline)
    assert aggregator.invocations == invocations, "the stack is not at rest"
    assert ops(["drain", "--local", endpoint, "--resume"]) == 0
    wait_for(lambda: aggregator.invocations >= invocations + 8, pipeline)
    stream.stop()
    pipeline.finish()
    report = pipeline.report(1.0)
    assert report.losses() == []
    assert report.stream.updates == report.rows.updates == stream.sent
    assert (report.stream.lost, report.stream.duplicates, report.dead_letters) == (0, 0, 0)
    assert aggregator.errors == 0
