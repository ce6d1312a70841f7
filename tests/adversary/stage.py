"""Plays one attack on the consumer: sets up feed, AWS and process, plays the runs, and keeps the evidence."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.adversary.aws import Aws
from tests.adversary.events import default_patterns
from tests.adversary.feed import Feed
from tests.adversary.ledger import Ledger
from tests.adversary.process import Child, Outcome
from tests.adversary.wire import BlackHole

if TYPE_CHECKING:
    from tests.adversary.feed import Asked
    from tests.adversary.plan import ConsumerPlan, Run

_PUT = "kinesis.PutRecords"
API_TOKEN = "aD7/k+Q9tokenOfTheProvider/zX~w2=="  # with all that encodings change


def environment(aws_url: str, service: str) -> dict[str, str]:
    """Return what every function's environment holds."""
    return {
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ACCESS_KEY_ID": "attack",
        "AWS_SECRET_ACCESS_KEY": "attack",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DATA_BUCKET": "data",
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": "Attack",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
        "ALERT_PATTERNS": default_patterns(),
    }


@dataclass(slots=True)
class Evidence:
    """What an attack left behind, for the judge."""

    ledger: Ledger
    outcomes: list[Outcome] = field(default_factory=list)
    log: bytes = b""
    asked: list[Asked] = field(default_factory=list)
    checkpoint_writes: int = 0
    is_unacknowledged: bool = False
    """Whether Kinesis carried out a call and said so late, falsely, not at all or not before a run's end."""
    issued: set[str] = field(default_factory=set)
    """Every token that the feed sent."""
    refused_until: list[tuple[float, float]] = field(default_factory=list)
    """When the feed asked to wait, and until when, by the monotonic clock."""
    stall: float = 0.0
    """The longest time for which this machine kept a sleeping thread waiting beyond its time, in seconds."""
    settled: bool = True
    """Whether in the last run, at some moment, nothing was owed any more and the position behind it was committed."""


class StallWatch:
    """Measures how late a thread of this process wakes up: what a busy machine does to everybody's deadlines."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop measuring."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - began - 0.01)


class ConsumerStage:
    """One attack's stage."""

    def __init__(self, plan: ConsumerPlan, log: Path, stack: ExitStack) -> None:
        self._plan = plan
        self._log = log
        self._stack = stack
        self.ledger = Ledger({update.number: update for update in plan.updates})
        self.feed = Feed(plan.script, API_TOKEN, plan.idle, plan.framing, plan.feed_headers)
        self.aws = Aws(self.ledger, API_TOKEN, plan.shards)
        stack.callback(self.feed.close)
        stack.callback(self.aws.close)
        self._child: Child | None = None
        self._replaced: bytes | None = None
        self.was_settled = False
        urls = {"feed": self.feed.url, "aws": self.aws.url}
        if plan.black_hole:
            hole = BlackHole()
            stack.callback(hole.close)
            urls[plan.black_hole] = f"http://127.0.0.1:{hole.port}/stream"
        self._environment = {
            **environment(urls["aws"], "consumer"),
            "STREAM_URL": urls["feed"],
            "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:attack-AbCdEf",
            "STATE_BUCKET": "state",
            "DATA_BUCKET": "data",
            "UPDATES_STREAM_NAME": "updates",
            "RECORD_FORMAT": plan.record_format,
            "START_POSITION": "BEGINNING",
            "COMPRESSION": "gzip",
            "LEASE_SECONDS": "3",
            **dict(plan.environment),
        }
        self._owed_by = {update.number: update.owed for update in plan.updates}

    def settled(self) -> bool:
        """Say whether nothing is owed any more, and the position behind all of it is committed."""
        with self.ledger.lock:
            last = self.ledger.commits[-1] if self.ledger.commits else None
        end = self.feed.open_end()
        if last is None or last.gap or (last.position or 0) < end:
            return False
        return not self.missing()

    def missing(self) -> list[int]:
        """Return the numbers of the updates that are owed and nowhere to be found."""
        published = self.ledger.published()
        absent = [number for number in self._owed_by if number not in published]
        if absent:
            rejected = self.ledger.rejected()
            absent = [each for each in absent if self._owed_by[each] != "accounted" or each not in rejected]
        return [number for number in absent if self._owed_by[number] != "nothing"]

    def play(self, index: int, run: Run) -> Outcome:
        """Play one run."""
        self.feed.run = index
        self._prepare(run)
        if run.fresh or self._child is None or not self._child.alive:
            if self._child is not None:
                self._child.close()
            self._child = Child("consumer.handler.handler", self._environment, self._log, self._plan.megabytes)
        elif run.frozen:
            self._child.freeze()
            time.sleep(run.frozen)
            self._child.thaw()
        self.feed.rules.begin(run.rules)
        self.aws.rules.begin(run.rules)
        done = False
        self.was_settled = False

        def watch(child: Child, seconds: float) -> None:
            nonlocal done
            self.was_settled = self.was_settled or self.settled()
            due = self.was_settled if run.end == "settled" else run.end != "deadline" and seconds >= run.after
            reading = bool(self.feed.rules.calls)  # before that, nothing need catch the signal
            if due and not done and (reading or (run.end != "settled" and seconds > run.after + 1)):
                done = True
                (child.kill if run.end == "kill" else child.terminate)()

        return self._child.invoke(run.event, run.seconds, watch)

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def _prepare(self, run: Run) -> None:
        end = time.monotonic() + 10
        while run.lease_free and self._leased() and time.monotonic() < end:
            time.sleep(0.05)
        if run.checkpoint is not None:
            self._replaced = self.aws.store.objects.get("checkpoint.json")
            self.aws.store.put("checkpoint.json", run.checkpoint, age=3_600.0)
        if run.restored:
            if self._replaced is None:
                self.aws.store.objects.pop("checkpoint.json", None)
            else:
                self.aws.store.put("checkpoint.json", self._replaced)

    def _leased(self) -> bool:
        """Say whether a killed run's lease still is in the checkpoint."""
        lease = json.loads(self.aws.store.objects.get("checkpoint.json", b"{}")).get("lease")
        return bool(lease) and datetime.fromisoformat(lease["expires_at"]).timestamp() > time.time()


def play(plan: ConsumerPlan) -> Evidence:
    """Play the attack."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adversary-"))
        log = Path(folder, "log")
        stage = ConsumerStage(plan, log, stack)
        stack.callback(stage.close)
        watch = StallWatch()
        stack.callback(watch.close)
        evidence = Evidence(stage.ledger)
        for index, run in enumerate(plan.runs):
            evidence.outcomes.append(stage.play(index, run))
            evidence.is_unacknowledged |= stage.aws.open_calls.get(_PUT, 0) > 0 or _PUT in stage.aws.unacknowledged
        stage.close()
        evidence.settled = stage.was_settled or stage.settled()
        evidence.log = log.read_bytes()
        if stage.aws.faults:
            raise RuntimeError(f"the stub of AWS failed, not what it attacks: {stage.aws.faults[0]}")
        evidence.asked, evidence.issued = stage.feed.asked, stage.feed.issued
        evidence.refused_until = stage.feed.refused_until
        evidence.checkpoint_writes = stage.aws.store.writes.get("checkpoint.json", 0)
        evidence.stall = watch.longest
    return evidence
