"""What was sent, what arrived, and what was committed, in the order in which it happened: the only witness there is."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass, field

from backports import zstd

_MARK = re.compile(rb"u-(\d{7})~")


def mark(number: int) -> str:
    """Return the text that every update carries in one of its fields, by which it is known wherever it turns up."""
    return f"u-{number:07}~"


def marks(content: bytes) -> list[int]:
    """Return the numbers of the updates that the content holds."""
    return [int(number) for number in _MARK.findall(content)]


@dataclass(frozen=True, slots=True)
class Update:
    """One update of the feed. `owed` is what it has a right to: `published`, or `accounted` (or kept as rejected)."""

    number: int
    address: str
    owed: str = "published"


@dataclass(frozen=True, slots=True)
class Record:
    """One record that Kinesis took."""

    data: bytes
    key: str
    shard: str
    addressed: bool
    """Whether it named its hash key, as an envelope does."""
    arrived: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """One update in Kinesis; `committed` is the position that was committed by then."""

    number: int
    shard: str
    committed: int


@dataclass(frozen=True, slots=True)
class Commit:
    """One write of the checkpoint: the position (an index into the feed's script), and how many arrivals it follows."""

    position: int | None
    arrivals: int
    gap: bool
    size: int


@dataclass(slots=True)
class Ledger:
    """Everything that happened in one attack. Its methods may be called from any thread."""

    updates: dict[int, Update] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    """Every object written, but the checkpoint, by its key."""
    checkpoints: list[bytes] = field(default_factory=list)
    largest_checkpoint: int = 0
    unreadable: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def took(self, data: bytes, key: str, shard: str, *, addressed: bool) -> None:
        """Note a record that Kinesis took."""
        with self.lock:
            self.records.append(Record(data, key, shard, addressed, time.time()))
            committed = next((commit.position for commit in reversed(self.commits) if commit.position is not None), 0)
            numbers = self._opened(data, shard) if addressed else marks(data)
            self.arrivals += [Arrival(number, shard, committed) for number in numbers]

    def wrote(self, key: str, content: bytes) -> None:
        """Note an object that S3 took."""
        with self.lock:
            if key != "checkpoint.json":
                self.kept[key] = content
                return
            self.checkpoints = [*self.checkpoints[-50:], content]
            self.largest_checkpoint = max(self.largest_checkpoint, len(content))
            stated = json.loads(content)
            token = re.match(r"tok-(\d+)-", stated.get("position_token") or "")
            position = int(token[1]) if token else None
            self.commits.append(Commit(position, len(self.arrivals), bool(stated.get("gap")), len(content)))

    def published(self) -> set[int]:
        """Return the numbers of the updates that Kinesis holds."""
        with self.lock:
            return {arrival.number for arrival in self.arrivals}

    def rejected(self) -> set[int]:
        """Return the numbers of the updates that are kept as rejected lines."""
        with self.lock:
            contents = [content for key, content in self.kept.items() if key.startswith("rejected/")]
        found: set[int] = set()
        for content in contents:
            for line in content.splitlines():
                kept = json.loads(line)
                raw = base64.b64decode(kept["line_base64"]) if "line_base64" in kept else kept["line"].encode()
                found.update(marks(raw))
        return found

    def _opened(self, data: bytes, shard: str) -> list[int]:
        try:
            envelope = json.loads(data)
            if envelope["shard"] != shard:
                return []
            lines = zstd.decompress(base64.b64decode(envelope["z"]))
        except (ValueError, KeyError, TypeError, zstd.ZstdError) as error:
            self.unreadable.append(f"a record addressed as an envelope cannot be opened: {error!r}")
            return []
        numbers = marks(lines)
        if lines.count(b"\n") != envelope["n"]:
            self.unreadable.append(f"an envelope says n={envelope['n']} and holds {lines.count(b'\n')} lines")
        return numbers
