"""Feeds that would fill a small function's memory, each through the real parts in a separate process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.conditions import wait_until
from tests.support.raw_feed import RawFeed
from tests.support.stub_aws import StubAws

ROOT = Path(__file__).parents[4]

CHILD = """
import json, sys, threading
sys.path[:0] = [{src!r}, {root!r}]
from common.clock import SystemClock
from consumer.checkpoint.rejected_lines import RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.ingestion.run import Run
from consumer.ingestion.stop_request import StopRequest
from consumer.publish.put_records import PutRecords
from consumer.stream.client import StreamClient
from benchmarks.harness.machine import peak_memory

aws_url, feed_url = sys.argv[1:3]
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from consumer.publish.kinesis_client import KinesisApi

s3 = botocore.session.get_session().create_client(
    "s3", region_name="us-east-1", endpoint_url=aws_url, aws_access_key_id="s", aws_secret_access_key="s",
    config=Config(s3=dict(addressing_style="path")),
)
clock = SystemClock()
stop, deadline = StopRequest(clock), Deadline(clock, 100)
kinesis = KinesisApi(aws_url, "us-east-1", Credentials("s", "s"), URLLib3Session())
client = StreamClient(feed_url, "token", dict(), "gzip")
run = Run(
    client, CheckpointStore(s3, "state", "run", clock, deadline=deadline),
    RejectedStore(s3, "state", "run", clock, redactor=client.redactor, deadline=deadline),
    PutRecords(kinesis, "updates"), clock, deadline=deadline, stop_request=stop, start_position="BEGINNING",
)
before = peak_memory()
threading.Thread(target=lambda: (sys.stdin.readline(), deadline.bring_forward(3)), daemon=True).start()
summary = run.execute()
grown = (peak_memory() - before) / 2**20
print("RESULT " + json.dumps(dict(grown_mb=grown, rejected=summary.rejected, updates=summary.updates)), flush=True)
"""


class Child:
    """A run of the consumer in a separate process."""

    def __init__(self, aws, feed):
        code = CHILD.format(src=str(ROOT / "src"), root=str(ROOT))
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, aws.url, feed.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._process:
            self._process.kill()

    def end(self):
        """Have the run end soon; return what it says of itself."""
        output, _ = self._process.communicate("end\\n", timeout=60)
        [result] = [line for line in output.splitlines() if line.startswith("RESULT ")]
        return json.loads(result.removeprefix("RESULT "))


SMALL_MB = 60
"""What a run may grow by beside what it needs in any case; a small function has 256 MB, and 90 of them at the start."""


def update(number):
    """Update `number`: a new aircraft, and the ingestion time of all others."""
    moment = b'"timestamp":"2024-03-04T12:00:00Z","ingestion_time":"2024-03-04T12:00:01Z"'
    return b'{"target":{"icao_address":"%06X",%b}}' % (number, moment)


def test_lines_that_are_rejected_fill_neither_memory_nor_an_object():
    """However many come in one interval: what waits is bounded by all that it takes, not by its bytes on the wire."""
    count = 200_000
    with StubAws() as aws, RawFeed(lambda _: b"{}", every=100_000, limit=count) as feed, Child(aws, feed) as child:
        aws.keeps = lambda key: key == "checkpoint.json"
        wait_until(lambda: "t200000" in str(aws.objects.get("checkpoint.json")))
        result = child.end()
        rejected = [put for put in aws.puts if put[0].startswith("rejected/")]
        assert sum(lines for _, _, lines in rejected) == count == result["rejected"]
        assert max(size for _, size, _ in rejected) < 4 * 1024 * 1024
        assert result["grown_mb"] < SMALL_MB


def test_tokens_behind_an_unacknowledged_update_fill_no_memory():
    """A server may send tokens by the hundred thousand while Kinesis refuses one record."""
    count = 300_000
    with (
        StubAws() as aws,
        RawFeed(lambda n: b'{"position_token":"x%d"}' % n if n else update(0), every=100_000, limit=count) as feed,
    ):
        aws.refuses = lambda *_: True
        with Child(aws, feed) as child:
            wait_until(lambda: feed.sent == count)
            assert child.end()["grown_mb"] < SMALL_MB


def test_a_checkpoint_has_a_bound_whatever_the_ingestion_times_are():
    """80,000 updates of one ingestion time are no reason to write them all with every token."""
    count = 80_000
    with StubAws() as aws, RawFeed(update, every=1_000, limit=count) as feed, Child(aws, feed) as child:
        wait_until(lambda: len(aws.records) == count)
        result = child.end()
        assert result["updates"] == count
        assert max(size for key, size, _ in aws.puts if key == "checkpoint.json") < 32 * 1024
