"""What a stack writes to S3, as it comes: window rows, alerts, rejected lines, on-failure objects."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from live import objects
from ops import stored
from ops.failures import PREFIX, ObjectError, read_failure
from ops.output import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.stack import Stack

_SLOW = 5.0
_LATE = timedelta(hours=1)
"""How far behind the clock an object may lie in the folders, by the hour of its delivery."""


class _NewObjects:
    """The objects below some prefixes that were written since a time, each once, the oldest first."""

    interval = _SLOW

    def __init__(self, stack: Stack, bucket: str, since: float, now: Callable[[], float] = time.time) -> None:
        self._s3 = stack.client("s3")
        self._bucket = stack[bucket]
        self._since = datetime.fromtimestamp(since, UTC)
        self._now = now
        self._earliest = self._since - _LATE
        self._seen: set[str] = set()

    def new(self) -> Iterator[bytes]:
        """Yield the lines of the objects that have come since the last look."""
        listed = sorted(self._listed(), key=lambda entry: (entry["LastModified"], entry["Key"]))
        self._earliest = max(self._earliest, datetime.fromtimestamp(self._now(), UTC) - 2 * _LATE)
        for entry in listed:
            self._seen.add(entry["Key"])
            body = self._s3.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"].read()
            yield from self._lines(entry, body)

    def _listed(self) -> Iterator[dict[str, Any]]:
        for prefix in self._prefixes():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    # S3 gives its times in whole seconds.
                    is_new = entry["LastModified"] >= self._since.replace(microsecond=0)
                    if is_new and entry["Key"] not in self._seen:
                        yield entry

    def _hours(self) -> Iterator[datetime]:
        """Yield the hours in whose folders something new may lie."""
        hour = self._earliest.replace(minute=0, second=0, microsecond=0)
        while hour <= datetime.fromtimestamp(self._now(), UTC):
            yield hour
            hour += timedelta(hours=1)

    def _prefixes(self) -> Iterator[str]:
        raise NotImplementedError

    def _lines(self, entry: dict[str, Any], body: bytes) -> Iterator[bytes]:  # noqa: ARG002 - others tell the key
        yield from body.splitlines()


class WindowRows(_NewObjects):
    """Rows of windows, as Firehose puts them down."""

    def __init__(self, stack: Stack, since: float, now: Callable[[], float] = time.time) -> None:
        super().__init__(stack, "DataBucket", since, now)

    def _prefixes(self) -> Iterator[str]:
        for hour in self._hours():
            yield f"windows/date={hour:%Y-%m-%d/hour=%H/}"

    def _lines(self, entry: dict[str, Any], body: bytes) -> Iterator[bytes]:
        try:
            yield from (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).splitlines()
        except (OSError, EOFError, zlib.error) as error:
            complain(f"{entry['Key']}: damaged: {error}")


class RejectedLines(_NewObjects):
    """Lines of the stream that are no update, with the reason."""

    def __init__(self, stack: Stack, since: float, now: Callable[[], float] = time.time) -> None:
        super().__init__(stack, "StateBucket", since, now)

    def _prefixes(self) -> Iterator[str]:
        yield from sorted({f"rejected/{hour:%Y/%m/%d}/" for hour in self._hours()})


class FailureObjects(_NewObjects):
    """What Lambda gave up, a line an object: which function, why, and how many records."""

    def __init__(self, stack: Stack, since: float, now: Callable[[], float] = time.time) -> None:
        super().__init__(stack, "FailuresBucket", since, now)

    def _prefixes(self) -> Iterator[str]:
        yield PREFIX

    def _lines(self, entry: dict[str, Any], body: bytes) -> Iterator[bytes]:
        described: dict[str, Any] = {"key": entry["Key"], "written_at": entry["LastModified"].isoformat()}
        try:
            failure = read_failure(entry["Key"], body)
        except ObjectError as error:
            described["problem"] = str(error)
        else:
            described |= {
                "function": failure.function_name,
                "reason": failure.reason(),
                "records": len(failure.records),
                "window": failure.window,
                "first": failure.records[0][1].decode(errors="replace").rstrip() if failure.records else None,
            }
        yield json.dumps(described).encode()


class AlertLog:
    """The newest alerts, as `live/alerts.json` has them: each once, the oldest first."""

    interval = 2.0

    def __init__(self, stack: Stack, since: float) -> None:
        self._stack = stack
        self._since = datetime.fromtimestamp(since, UTC)
        self._seen: set[str] = set()

    def new(self) -> Iterator[bytes]:
        """Yield the alerts that have come since the last look."""
        listed = stored.read(self._stack, "DataBucket", objects.ALERTS, stored.Alerts)
        for content in reversed(listed.alerts if listed else []):
            alert = stored.converted(content, objects.ALERTS, stored.Alert)
            if alert.id in self._seen or alert.sent_at is None or alert.sent_at < self._since:
                continue
            self._seen.add(alert.id)
            yield json.dumps(content).encode()
