"""How large updates are in envelopes: the consumer's own packing of generated traffic, no aircraft twice in one."""

from __future__ import annotations

import gzip
import sys
from dataclasses import dataclass
from functools import cache
from itertools import batched

from benchmarks.harness.workspace import ROOT, SEED, START

sys.path.insert(0, str(ROOT / "src"))  # where the functions' code is

from consumer.publish.envelope_writer import HeaderedUpdate, decode, pack
from consumer.publish.limits import MAX_RECORD_BYTES
from local.simulator.flights import GeneratedTraffic

UPDATES = 12_000
"""Each of another aircraft: what compresses least."""

_PREFIX, _SUFFIX = b'{"target":', b"}"


@dataclass(frozen=True, slots=True)
class RecordSize:
    """A record as it is in the stream: how many updates it holds, its bytes, and what gzip leaves of an update."""

    updates: float
    bytes: float
    archived_bytes_per_update: float

    @property
    def bytes_per_update(self) -> float:
        """Bytes of the record for each update in it."""
        return self.bytes / self.updates


@cache
def envelope(updates: int) -> RecordSize:
    """Measure envelopes of so many updates."""
    groups = [group for group in batched(_all_different(), updates, strict=False) if len(group) == updates]
    records = [one.data for group in groups for one in pack(group, "shardId-000000000000", MAX_RECORD_BYTES)]
    # Whole bytes: what the header lists is in no order, and gzip makes a few hundredths more or less of it.
    archived = round(len(gzip.compress(b"".join(records), 6)) / (updates * len(groups)))
    return RecordSize(updates, sum(map(len, records)) / len(records), archived)


@cache
def line_bytes() -> float:
    """Return the mean bytes of an update as received."""
    return sum(len(update.data) for update in _all_different()) / UPDATES


@cache
def _all_different() -> tuple[HeaderedUpdate, ...]:
    traffic = GeneratedTraffic(rate=4_000, aircraft=2 * UPDATES, seed=SEED, start=START)
    found: dict[str, HeaderedUpdate] = {}
    for _, line in traffic.updates():
        data = line[len(_PREFIX) : -len(_SUFFIX)]
        update = decode(data)
        update.data = data
        found.setdefault(update.icao_address, update)
        if len(found) == UPDATES:
            break
    return tuple(found.values())
