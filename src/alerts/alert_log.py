"""The alert log: each alert sent leaves one object in the data bucket, and the newest are in `live/alerts.json`.

An alert is logged after it was sent and marked as sent. A failed write fails no record; it is tried again with the next
batch. A record that comes again is logged again, which changes nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from http import HTTPStatus
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from alerts.timeouts import CALL_SECONDS
from common.observability import logger
from common.s3_errors import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_s3 import S3Client

    from alerts.log_entry import LogEntry
    from alerts.newest_alerts import NewestAlerts

WORTH_WRITING: Final = 256
"""Entries that wait when they are written before others come, and not only at the end of a batch."""

MOST_WAITING: Final = 1_000
"""Entries that wait to be written; beyond that the oldest is dropped, to bound memory."""

_THREADS: Final = 8


class Flushed(NamedTuple):
    """What became of a flush."""

    has_failed: bool
    """S3 refused an alert, or did not answer; where the time ran out it has not."""
    is_shown: bool
    """The newest alerts are shown."""


class AlertLog:
    """Takes entries from several threads, and writes them at `flush`."""

    def __init__(self, client: S3Client, bucket: str, newest: NewestAlerts) -> None:
        self._client = client
        self._bucket = bucket
        self._newest = newest
        self._waiting: dict[str, LogEntry] = {}
        self._lock = Lock()
        self._given_up = 0

    def add(self, entry: LogEntry) -> None:
        """Queue a sent alert for the log; an entry that waits already has the better time."""
        with self._lock:
            self._waiting.setdefault(entry.id, entry)
            if len(self._waiting) > MOST_WAITING:
                oldest = self._waiting.pop(next(iter(self._waiting)))
                self._given_up += 1
                logger.error("alert will be missing from the log until its record is sent again", extra=_named(oldest))

    def is_worth_writing(self) -> bool:
        """Return whether so much waits that it should be written before others come."""
        return len(self._waiting) >= WORTH_WRITING

    def flush(self, remaining_seconds: Callable[[], float]) -> Flushed:
        """Write what waits, as far as there is time. Raises nothing.

        The first failure ends it: an S3 that does not answer must not take the alerts' time.
        """
        has_failed = Event()
        entries = list(self._waiting.values())
        if entries:
            written = self._written(entries, remaining_seconds, has_failed)
            self._newest.add(entry for entry in written if entry is not None)
        is_shown = self._newest.flush(remaining_seconds)
        return Flushed(has_failed.is_set(), is_shown)

    def count_unlogged(self) -> int:
        """Return how many sent alerts the log lacks: those that wait, and those given up since the last count."""
        given_up, self._given_up = self._given_up, 0
        return len(self._waiting) + given_up

    def _written(
        self, entries: list[LogEntry], remaining_seconds: Callable[[], float], has_failed: Event
    ) -> Iterable[LogEntry | None]:
        def write(entry: LogEntry) -> LogEntry | None:
            if has_failed.is_set() or remaining_seconds() < CALL_SECONDS:
                return None
            return self._write(entry, has_failed)

        return map(write, entries) if len(entries) == 1 else self._threads.map(write, entries)

    def _write(self, entry: LogEntry, has_failed: Event) -> LogEntry | None:
        """Write the entry unless it is there; return it if it is there now.

        One that was there may be missing from the newest alerts all the same: the answer to its write was lost, or the
        process that wrote it has ended before it could show it.
        """
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=entry.key,
                Body=entry.content(),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, no alert depends on it
            if status_of(error) != HTTPStatus.PRECONDITION_FAILED:
                has_failed.set()
                logger.warning("alert could not be logged yet", extra=_named(entry) | {"reason": str(error)})
                return None
        with self._lock:
            self._waiting.pop(entry.id, None)
        return entry

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Made when several entries first wait, and kept."""
        return ThreadPoolExecutor(_THREADS, "alert-log")


def _named(entry: LogEntry) -> dict[str, str]:
    return {"alert_id": entry.id, "icao_address": entry.claim.icao_address, "update_key": entry.claim.update_key}
