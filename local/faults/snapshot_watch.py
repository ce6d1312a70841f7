"""Polls the live objects during a schedule, and records whenever they go back.

It joins what it reads as a viewer does, and looks at every closed window rather than at the newest.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec

from local.audit import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_s3 import S3Client

    from local.audit.snapshot import State

_EVERY = 0.2
_PREFIX, _SHARDS, _IDENTITY = "live/", "live/shards.json", "-identity"


class SnapshotWatch:
    """Polls from `start` to `stop`; `look` once more, and `view` is each aircraft's newest state by address.

    Parameters
    ----------
    s3
        For the bucket itself, past any proxy.
    bucket
        Where `live/` is.
    """

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="snapshot-watch")
        self._closed: dict[str, list[State]] = {}
        self._orders: dict[str, tuple[int, int, int]] = {}
        self.view: dict[str, State] = {}
        self.looks = 0
        self.troubles: list[str] = []

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; return when the last look is over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Read what is there, and hold it against what was there before."""
        listed = self._get(_SHARDS)
        shards = [] if listed is None else sorted(msgspec.json.decode(listed, type=dict[str, Any])["shards"])
        opened = [(shard, self._get(f"{_PREFIX}{shard}/open")) for shard in shards]
        found: list[State] = []
        for shard, data in opened:
            if data is not None:
                one = snapshot.read(data)
                if one.order < self._orders.get(shard, one.order):
                    self.troubles.append(f"{shard}: {one.order} replaced {self._orders[shard]}")
                self._orders[shard] = one.order
                found += one.states
        # After the open windows: a window that gave way to one of these was closed before.
        for key in self._keys():
            if "/closed/" in key and not key.endswith(_IDENTITY) and key not in self._closed:
                data = self._get(key)
                self._closed[key] = [] if data is None else snapshot.read(data).states
        for states in self._closed.values():
            found += states
        self._hold(_newest(found))
        self.looks += 1

    def words(self) -> list[tuple[str, bytes]]:
        """Return all live objects by key, inflated, to be looked through."""
        return [(key, snapshot.inflated(data)) for key in self._keys() if (data := self._get(key)) is not None]

    def _hold(self, view: dict[str, State]) -> None:
        for address, before in self.view.items():
            now = view.get(address)
            if now is None or now.freshness < before.freshness:
                self.troubles.append(f"{address}: {before.freshness} was shown, and then {now and now.freshness}")
        self.view = view

    def _poll(self) -> None:
        while not self._stopping.wait(_EVERY):
            try:
                self.look()
            except ValueError as error:
                self.troubles.append(f"a live object cannot be read: {error}")

    def _keys(self) -> list[str]:
        pages: Any = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_PREFIX)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _get(self, key: str) -> bytes | None:
        try:
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        return body


def _newest(states: Iterable[State]) -> dict[str, State]:
    """Return each aircraft's newest state; the newest position stays where that has none."""
    newest: dict[str, State] = {}
    for state in sorted(states, key=lambda one: one.freshness):
        known = newest.get(state.icao_address)
        if known is not None and _position(known) > _position(state):
            where = known.position_measured, known.latitude, known.longitude
            kept = state._replace(position_measured=where[0], latitude=where[1], longitude=where[2])
            newest[state.icao_address] = kept
        else:
            newest[state.icao_address] = state
    return newest


def _position(state: State) -> float:
    return float("-inf") if state.position_measured is None else state.position_measured
