"""The freshness of the data bucket: live objects, and what Firehose delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live import objects
from live.container import read_header
from live.current import current
from live.errors import SnapshotError
from live.layout import POSITIONS
from local.counted import counted
from ops import stored
from ops.errors import DamagedError
from ops.finding import ATTENTION, OK, UNKNOWN, Finding
from ops.looks.reading import runbook, span_text
from ops.metrics import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live.container import Header
    from ops.looks.reading import Reading

STALE_SECONDS = 60.0
"""Live objects are written every few seconds: what is older has stopped (api.health)."""


class DataLooks:
    """Looks at what readers of the data bucket get."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def live(self) -> Iterator[Finding]:
        """Look at how fresh the open windows of the map are."""
        listed = stored.read(self._reading.stack, "DataBucket", objects.SHARDS, stored.Shards)
        if listed is None:
            yield Finding(
                "live objects", UNKNOWN, "no snapshot was written yet", "the first comes with the first updates"
            )
            return
        opened: dict[str, Header] = {}
        unreadable = 0
        for shard in listed.shards:
            body = self._reading.get("DataBucket", objects.open_window(shard))
            if body is None:
                continue  # closed by a reshard: the lifecycle has removed it
            try:
                opened[shard], _ = read_header(body, POSITIONS)
            except SnapshotError:
                unreadable += 1
        shards = current(opened, listed.window_seconds * 1_000)
        aircraft = sum(opened[shard].aircraft for shard in shards)
        newest = max((header.written_at for header in opened.values()), default=0)
        age = self._reading.now.timestamp() - newest / 1_000 if newest else None
        facts = {
            "shards": len(shards),
            "aircraft": aircraft,
            "newest_age_seconds": age,
            "unreadable": unreadable,
        }
        windows = f"{aircraft:,} aircraft in the open windows of {counted(len(shards), 'shard')}"
        text = f"{windows}, the newest written {span_text(age)} ago"
        try:
            status = self._reading.status()
        except DamagedError:
            status = None  # what is wrong with it, the consumer's look says
        is_fresh = age is not None and age <= STALE_SECONDS + (status.pause if status else 0.0)
        yield Finding("live objects", OK if is_fresh else ATTENTION, text, runbook("live-snapshots"), facts)

    def archives(self) -> Iterator[Finding]:
        """Look at how far Firehose is behind."""
        names = [name for name in ("RawArchive", "WindowRows") if name in self._reading.stack.resources]
        queries = {
            name: Query(
                "AWS/Firehose",
                "DeliveryToS3.DataFreshness",
                {"DeliveryStreamName": self._reading.stack[name]},
                "Maximum",
            )
            for name in names
        }
        values = self._reading.metrics(queries)
        if not values:
            yield Finding("archives", UNKNOWN, "no metrics yet of how far Firehose is behind")
            return
        text = ", ".join(f"{name} {span_text(values.get(name))} behind" for name in names)
        late = [name for name in names if values.get(name, 0) > (1_800 if name == "RawArchive" else 900)]
        yield Finding("archives", ATTENTION if late else OK, text, runbook("archive-freshness"), {**values})
