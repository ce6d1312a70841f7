"""`live/shards.json`, the shards that readers look for; written by several invocations at a time, on condition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from aggregator import instants
from common.s3_errors import CONFLICTS, is_absent, status_of
from live import objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from common.kinesis_event import TumblingWindow

TRIES = 4
"""How often a write is tried that others are faster with: each try looks again at what is there."""


class ContendedError(Exception):
    """An object could not be written, since others write it all the time; the next invocation tries again."""


class ShardList:
    """The list in a bucket, and what this process has seen of it."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._known: dict[str, int] = {}
        """The shards that were listed, each with the length that its last window had, in seconds."""
        self._first: dict[str, str] = {}

    def meet(self, window: TumblingWindow) -> None:
        """Remember a shard's first window: the list can be refused for a while, and says from when on there is any."""
        self._first.setdefault(window.shard_id, window.start)

    def add(self, window: TumblingWindow) -> None:
        """Have the window's shard in the list, with the length of its windows.

        Raises
        ------
        ContendedError
            Others were faster each time.
        botocore.exceptions.ClientError
            It could not be read or written.
        """
        seconds = round((instants.parse(window.end) - instants.parse(window.start)).total_seconds())
        if self._known.get(window.shard_id) != seconds:  # a change of it recycles no environment
            self._write(window, seconds)
            self._known[window.shard_id] = seconds

    def _write(self, window: TumblingWindow, seconds: int) -> None:
        """Add the shard to those that readers look for."""
        for _ in range(TRIES):
            listed, condition = self._read()
            if window.shard_id in listed["shards"] and listed["window_seconds"] == seconds:
                return
            listed["window_seconds"] = seconds
            listed["shards"].setdefault(window.shard_id, {"since": self._first.get(window.shard_id, window.start)})
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=objects.SHARDS,
                    Body=json.dumps(listed).encode(),
                    ContentType="application/json",
                    **condition,
                )
            except Exception as error:
                if status_of(error) not in CONFLICTS:
                    raise
            else:
                return
        raise ContendedError(f"{objects.SHARDS}: written by others {TRIES} times in a row")

    def _read(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the shards that are listed, and the condition on which they may be replaced."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=objects.SHARDS)
        except Exception as error:
            if not is_absent(error):
                raise
            return {"version": 1, "window_seconds": 0, "shards": {}}, {"IfNoneMatch": "*"}
        try:
            listed = msgspec.json.decode(found["Body"].read(), type=dict[str, Any])
            usable = isinstance(listed["shards"], dict) and listed["version"] == 1
        except (msgspec.DecodeError, KeyError):
            usable = False
        if not usable:
            listed = {"version": 1, "shards": {}}
        return {"window_seconds": 0, **listed}, {"IfMatch": found["ETag"]}
