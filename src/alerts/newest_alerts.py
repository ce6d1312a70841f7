"""`live/alerts.json`: the newest alerts, for the map. Written by several invocations at a time, on condition."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alerts.timeouts import CALL_SECONDS
from common import s3_body
from common.observability import logger
from common.s3_errors import CONFLICTS, is_absent, status_of
from live import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_s3 import S3Client

    from alerts.log_entry import LogEntry

MOST: Final = 100

_TRIES: Final = 4
"""How often a write is tried that others are faster with."""

_MOST_BYTES: Final = 1024 * 1024
"""Of what is there: a hundred alerts have 300 KB at most."""


class _Listed(msgspec.Struct):
    version: int
    alerts: list[dict[str, Any]]


class NewestAlerts:
    """Adds alerts to the object; what could not be added is added with the next ones."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._waiting: list[dict[str, Any]] = []

    def add(self, entries: Iterable[LogEntry]) -> None:
        """Have alerts shown."""
        self._waiting = newest_of([*self._waiting, *(entry.fields() for entry in entries)])

    def flush(self, remaining_seconds: Callable[[], float]) -> bool:
        """Write what waits, if there is time; return whether nothing waits any more. Raises nothing."""
        reason = f"written by others {_TRIES} times in a row"
        for _ in range(_TRIES):
            if not self._waiting:
                return True
            if remaining_seconds() < 2 * CALL_SECONDS:
                reason = "too little time left"
                break
            try:
                if self._replace():
                    self._waiting = []
            except Exception as error:  # noqa: BLE001 - whatever it is, no alert depends on it
                reason = str(error)
                break
        if self._waiting:
            logger.warning("the newest alerts were not written", extra={"key": objects.ALERTS, "reason": reason})
        return not self._waiting

    def _replace(self) -> bool:
        """Write it unless all is there; return whether nobody has written it meanwhile."""
        listed, condition = self._read()
        newest = newest_of([*listed, *self._waiting])
        if newest == listed:
            return True
        content = {"version": 1, "alerts": newest}
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=objects.ALERTS,
                Body=msgspec.json.encode(content),
                ContentType="application/json",
                **condition,
            )
        except Exception as error:
            if status_of(error) in CONFLICTS:
                return False
            raise
        return True

    def _read(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return what is there, and the condition on which it may be replaced; what cannot be read is no list."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=objects.ALERTS)
        except Exception as error:
            # Where it is there and may not be read, the write is refused.
            if not is_absent(error) and status_of(error) != HTTPStatus.FORBIDDEN:
                raise
            return [], {"IfNoneMatch": "*"}
        try:
            listed = msgspec.json.decode(s3_body.read(found, _MOST_BYTES), type=_Listed).alerts
        except (ValueError, RecursionError):
            listed = []
        return listed, {"IfMatch": found["ETag"]}


def newest_of(alerts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest, each once, newest first: by when they were sent, or else by their updates' times."""
    by_id: dict[str, dict[str, Any]] = {}
    for alert in alerts:
        if isinstance(alert.get("id"), str) and (alert["id"] not in by_id or alert.get("sent_at")):
            by_id[alert["id"]] = alert
    return sorted(by_id.values(), key=_age, reverse=True)[:MOST]


def _age(alert: dict[str, Any]) -> tuple[str, str]:
    return str(alert.get("sent_at") or alert.get("at")), alert["id"]
