"""Runs an event source mapping: finds the shards, and starts one poller each, parents before children."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import StallTimeout
from local.event_source_mapping.destination import Destination, DestinationClients
from local.event_source_mapping.observation import Counters, Listener, SilentListener
from local.event_source_mapping.pace import Pace
from local.event_source_mapping.poller import Invoke, ShardPoller
from local.event_source_mapping.shard_reader import ShardReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from mypy_boto3_kinesis import KinesisClient

    from local.clock import Clock
    from local.event_source_mapping.settings import MappingSettings

_DRAIN_STEP = 0.02  # seconds between two looks at whether all is drained


@dataclass(frozen=True, slots=True)
class ListedShard:
    """A shard as ListShards describes it; a closed one has an ending sequence number."""

    shard_id: str
    parents: tuple[str, ...]
    closed: bool


def startable(listed: Iterable[ListedShard], started: Collection[str], finished: Collection[str]) -> list[str]:
    """Tell which shards to start now: those whose parents are finished, or are gone from the stream."""
    shards = list(listed)
    known = {shard.shard_id for shard in shards} | set(started)
    return [
        shard.shard_id
        for shard in shards
        if shard.shard_id not in started and all(parent in finished or parent not in known for parent in shard.parents)
    ]


class EventSourceMapping:
    """Polls a Kinesis stream and invokes a function with its records, as Lambda does.

    `invoke` takes the event as JSON bytes and gives the function's answer. It may raise ThrottledError; that and
    any other exception mean that the function did not run, and the batch is tried again without counting a retry.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is a part the caller owns
        self,
        settings: MappingSettings,
        invoke: Invoke,
        kinesis: KinesisClient,
        destinations: DestinationClients,
        clock: Clock,
        listener: Listener | None = None,
        *,
        pace: Pace | None = None,
    ) -> None:
        self.settings = settings
        self._invoke = invoke
        self._kinesis = kinesis
        self._destination = Destination(settings, destinations)
        self._clock = clock
        self._listener = listener or SilentListener()
        self._pace = pace or Pace()
        self._lock = threading.Lock()
        self._discovering = threading.Lock()
        self._pollers: dict[str, ShardPoller] = {}
        self._readers: dict[str, ShardReader] = {}
        self._listed: list[ListedShard] = []
        self._waiting: list[str] = []
        self._discovered = False
        self._all_found = False
        self._draining = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mapping {settings.uuid}", daemon=True)

    def start(self) -> None:
        """Find the shards and start polling; after it returned, LATEST means what is put from here on.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            When the stream's shards cannot be listed.
        """
        if not self.settings.enabled:
            return
        self._discover()
        self._thread.start()

    def stop(self, now: bool = False) -> None:  # noqa: FBT001, FBT002 - the local stack's `stop(now=True)`
        """End the threads: after the invocations they are in, or without waiting for these when `now`."""
        self._stopping.set()
        with self._lock:
            pollers = list(self._pollers.values())
        for poller in pollers:
            poller.stop()
        if now or not self.settings.enabled:
            return
        for poller in pollers:
            poller.join()
        if self._thread.is_alive():
            self._thread.join()

    def begin_drain(self) -> None:
        """Consume all there is, then close every open window and waiting batch at once; nothing may be put any more."""
        with self._lock:
            self._draining = True
            for poller in self._pollers.values():
                poller.drain()

    def drain(self, timeout: float, broken: Callable[[], object] = bool) -> bool:
        """Begin to drain, if that is not done yet, and wait for it; return whether it was done.

        `timeout` is in seconds without any progress; `broken` says that there will be none.
        """
        self.begin_drain()
        waiting, last = StallTimeout(timeout, self._clock), self.counters.progress
        never = threading.Event()
        look_again = 0.0
        while True:
            if self._clock.now() >= look_again:
                look_again = self._clock.now() + self._pace.discovery_interval
                self._try_to_discover()
            else:
                self._follow()
            if self.drained:
                return True
            if (progress := self.counters.progress) != last:
                last = progress
                waiting.restart()
            if waiting.expired() or broken():
                return False
            self._clock.wait(never, _DRAIN_STEP)

    @property
    def drained(self) -> bool:
        """Whether all up to the tips of the shards listed since the drain began is done with, and no window is open."""
        if not self.settings.enabled:
            return True
        with self._lock:
            return self._all_found and not self._waiting and all(poller.drained for poller in self._pollers.values())

    @property
    def counters(self) -> Counters:
        """Totals over all shards since the start."""
        with self._lock:
            return sum((poller.shard.counters for poller in self._pollers.values()), Counters())

    @property
    def iterator_age(self) -> float | None:
        """Seconds between the arrival of the last record sent and its sending: the oldest over the open shards."""
        with self._lock:
            pollers = [poller for poller in self._pollers.values() if not poller.finished]
        return max((age for poller in pollers if (age := poller.shard.iterator_age) is not None), default=None)

    # -- finding shards

    def _run(self) -> None:
        while not self._clock.wait(self._stopping, self._pace.discovery_interval):
            self._try_to_discover()

    def _try_to_discover(self) -> None:
        try:
            if self.settings.enabled:
                self._discover()
        except (BotoCoreError, ClientError) as error:
            self._listener.trouble(f"{self.settings.stream_name}: the shards cannot be listed: {error}")

    def _discover(self) -> None:
        """See which shards there are, and start those whose time has come."""
        # One listing at a time: an older one must not take the place of a newer one, and hide a shard again.
        with self._discovering:
            # What was listed before the drain began may lack a shard that the drain has to read.
            draining = self._draining
            listed = self._list()
            with self._lock:
                if self._stopping.is_set():
                    return
                for shard in listed:
                    if shard.shard_id not in self._readers:
                        self._readers[shard.shard_id] = self._reader(shard.shard_id)
                    if shard.closed and shard.shard_id in self._pollers:
                        self._pollers[shard.shard_id].close()
                self._listed = listed
                self._discovered = True
                self._start_due()
                self._all_found |= draining

    def _follow(self) -> None:
        """Start the shards that were found, once their parents are done."""
        with self._lock:
            if not self._stopping.is_set():
                self._start_due()

    def _start_due(self) -> None:
        """Start the found shards whose parents are done, and note which wait; the caller holds the lock."""
        listed = self._listed
        finished = {shard_id for shard_id, poller in self._pollers.items() if poller.finished}
        for shard_id in startable(listed, self._pollers.keys(), finished):
            self._start(shard_id, closed=any(shard.shard_id == shard_id and shard.closed for shard in listed))
        self._waiting = [shard.shard_id for shard in listed if shard.shard_id not in self._pollers]

    def _list(self) -> list[ListedShard]:
        pages = self._kinesis.get_paginator("list_shards").paginate(StreamARN=self.settings.stream_arn)
        return [
            ListedShard(
                shard["ShardId"],
                tuple(
                    parent
                    for parent in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                    if parent is not None
                ),
                "EndingSequenceNumber" in shard["SequenceNumberRange"],
            )
            for page in pages
            for shard in page["Shards"]
        ]

    def _reader(self, shard_id: str) -> ShardReader:
        settings = self.settings
        # A shard found later is another's child: wherever the mapping began, all of it comes after the beginning.
        position = "TRIM_HORIZON" if self._discovered else settings.starting_position
        reader = ShardReader(self._kinesis, settings.stream_arn, shard_id, position, settings.starting_timestamp)
        if position == "LATEST":
            reader.fix_position(self._clock.now())
        return reader

    def _start(self, shard_id: str, *, closed: bool) -> None:
        poller = ShardPoller(
            self.settings,
            self._readers[shard_id],
            self._invoke,
            self._destination,
            clock=self._clock,
            pace=self._pace,
            listener=self._listener,
        )
        self._pollers[shard_id] = poller
        if closed:
            poller.close()
        if self._draining:
            poller.drain()
        poller.start()
