"""The status of a run for the map and the API: `live/status.json`, written every few seconds on its own thread.

It is for people to read, and nothing depends on it. A write that fails is counted, and the next one carries everything;
a slow one delays the next. The end of a run waits for its last write, since a process that has answered Lambda is
frozen, but for a second at most. The object holds numbers, times, and names of ours, and nothing from the stream: so
neither the position token nor the API token is in it.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from common.clock import rfc3339
from common.printable import said
from consumer.checkpoint.position import NO_DELAY
from consumer.ingestion.telemetry import count
from consumer.rare_warning import RareWarning
from live import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from mypy_boto3_s3 import S3Client

    from common.clock import Clock
    from consumer.checkpoint.committer import Committer
    from consumer.checkpoint.position import Position, TimeRange
    from consumer.deadline import Deadline
    from consumer.ingestion.processor import TargetProcessor
    from consumer.ingestion.reader import StreamReader
    from consumer.ingestion.recovery import Recovery
    from consumer.ingestion.summary import Summary
    from consumer.publish.publisher import Publisher

STATUS_SECONDS = 10.0
"""How often the object is written: some $1.30 a month of S3's requests."""

_ANSWER_SECONDS = 1.0
"""How long the end of a run waits for an answer to a write at most, from when it was sent on; S3 usually takes less
than a tenth. Never beyond the run's deadline."""

_RATED_WRITES = 3
"""Rates are those of the time since so many writes ago: of one span alone they would jump with the position tokens."""


class RunStatus:
    """What a run says of itself; the counters are read from another thread than the ones that write them."""

    def __init__(  # noqa: PLR0913, PLR0917 - whom it asks, each of its own type
        self,
        clock: Clock,
        reader: StreamReader,
        processor: TargetProcessor,
        publisher: Publisher,
        committer: Committer,
        recovery: Recovery,
        *,
        delay: timedelta = NO_DELAY,
    ) -> None:
        """Ask these, of a stream that is late by `delay`."""
        self.position: Position | None = None
        """From where the run goes on."""
        self._clock = clock
        self._reader = reader
        self._processor = processor
        self._publisher = publisher
        self._committer = committer
        self._recovery = recovery
        self._delay = delay
        self._begun_at, self._began = clock.monotonic(), clock.now()
        self._samples = deque([(self._begun_at, 0, 0)], maxlen=_RATED_WRITES)

    def fields(self) -> dict[str, Any]:
        """Return the fields that `docs/design.md` lists; what is not known is left out."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        connected, read, sent = self._reader.counters, self._processor.counters, self._publisher.counters
        position = self._committer.committed or self.position
        sample = monotonic, read.updates, sent.published
        since, received, published = self._samples[0]
        self._samples.append(sample)
        seconds = max(monotonic - since, 1e-9)
        fields = {
            "written_at": rfc3339(now),
            "run_began_at": rfc3339(self._began),
            "source_lag_seconds": _rounded(position.lag(now, self._delay) if position else None),
            "committed_token_age_seconds": _age(now, position.token_received_at if position else None),
            "received_per_second": round((sample[1] - received) / seconds, 1),
            "published_per_second": round((sample[2] - published) / seconds, 1),
            "reading_share": round(
                min(1.0, connected.seconds_by(monotonic) / max(monotonic - self._begun_at, 1e-9)), 3
            ),
            "updates_outstanding": self._publisher.outstanding,
            "rejected": read.rejected,
            "reconnects": connected.reconnects,
            "recovering_gap": _range(self._recovery.left),
        }
        return {name: value for name, value in fields.items() if value is not None}


class StatusWriter:
    """Writes the object of one run, and nothing while another consumer may be at work."""

    def __init__(  # noqa: PLR0913 - where to, when, and what every write says
        self,
        s3: S3Client,
        bucket: str,
        clock: Clock,
        *,
        deadline: Deadline,
        seconds: float = STATUS_SECONDS,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Write every so many seconds; the last write has until the `deadline` at most.

        `settings` are fields of each write, by which a reader judges the others.
        """
        self._s3 = s3
        self._bucket = bucket
        self._clock = clock
        self._deadline = deadline
        self._seconds = seconds
        self._settings = settings or {}
        self._ending = threading.Event()
        self._is_left_behind = False
        self._unanswered_since: float | None = None
        self._last: dict[str, Any] = {}
        self._failures = RareWarning(clock.monotonic)
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def follow(
        self,
        status: RunStatus,
        execute: Callable[[], Summary],
        *,
        may_write: Callable[[], bool],
        last_run: Summary | None,
    ) -> Summary:
        """Run `execute`, the run, and pass its result or error on; write status until it ends, and once after.

        `last_run` is the summary of the run before, if this process knows it. Nothing here raises, or waits beyond the
        deadline: a write that S3 has not answered by then is left to itself, and none follows it.
        """
        self._status = status
        self._may_write = may_write
        self._last = _last_run(last_run)
        self._thread.start()
        try:
            summary = execute()
        except BaseException as error:
            self._end({**self._last, "run_failed": type(error).__name__})  # its text may quote the stream
            raise
        self._end(_last_run(summary))
        return summary

    def _end(self, last: dict[str, Any]) -> None:
        self._last = {"run_ended_at": rfc3339(self._clock.now()), **last}
        self._ending.set()
        since, now = self._unanswered_since, self._clock.monotonic()
        self._thread.join(self._deadline.cut(_ANSWER_SECONDS - (0.0 if since is None else now - since)))
        if self._thread.is_alive():
            self._is_left_behind = True
            self._failed("no answer within the time of the run")
        self._failures.close()

    def _run(self) -> None:
        while not self._ending.wait(self._seconds):
            self._write()
        self._write()

    def _write(self) -> None:
        if self._is_left_behind or not self._may_write():
            return
        self._unanswered_since = self._clock.monotonic()
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=objects.STATUS,
                Body=json.dumps({**self._status.fields(), **self._settings, **self._last}).encode(),
                ContentType="application/json",
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            self._failed(said(error))
        finally:
            self._unanswered_since = None

    def _failed(self, reason: str) -> None:
        count("StatusFailed")
        self._failures.warning(f"s3://{self._bucket}/{objects.STATUS}: the status was not written", reason=reason)


def _last_run(summary: Summary | None) -> dict[str, Any]:
    return {} if summary is None else {"last_run": summary.as_json()}


def _age(now: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else round((now - moment).total_seconds(), 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _range(gap: TimeRange | None) -> dict[str, str] | None:
    return None if gap is None else {"start": rfc3339(gap.start), "end": rfc3339(gap.end)}
