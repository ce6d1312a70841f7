"""Raw objects of one hour of arrival, as Firehose writes them.

Traffic of some minutes is generated once and sent again with later times until there is enough: as many aircraft and
updates for each as an hour of the world has, at the scale asked for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from isal import igzip

from local.simulator.flights import GeneratedTraffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORLD: Final = 14_400_000
"""Updates of an hour at 4,000 a second."""

AIRCRAFT, INTERVAL = 20_000, 5
"""Of the world, and seconds between an aircraft's updates."""

HOUR: Final = datetime(2024, 3, 4, 23, tzinfo=UTC)
_GENERATED_SECONDS: Final = 120
_PER_OBJECT: Final = 300_000
"""Updates of a raw object: some 50 MB, as Firehose makes them."""

_MINUTE: Final = re.compile(rb'("(?:ingestion_time|timestamp)":"2024-03-04T)(2[23]:\d\d)')


def write(folder: Path, updates: int) -> int:
    """Write the raw objects of so many updates under their keys; return their bytes."""
    target = folder / f"raw/date={HOUR:%Y-%m-%d}/hour={HOUR:%H}"
    target.mkdir(parents=True)
    written, lines = 0, _lines(updates)
    for number in range(-(-updates // _PER_OBJECT)):
        some = b"".join(islice(lines, min(_PER_OBJECT, updates - number * _PER_OBJECT)))
        written += (target / f"{number:04}.gz").write_bytes(igzip.compress(some))
    return written


def _lines(updates: int) -> Iterator[bytes]:
    scale = updates / WORLD
    aircraft = max(100, round(AIRCRAFT * scale))
    source = GeneratedTraffic(rate=aircraft / INTERVAL, aircraft=aircraft, seed=7, start=HOUR.timestamp())
    generated = []
    for at, line in source.updates():
        if at >= source.start + _GENERATED_SECONDS:
            break
        generated.append(line.strip()[len(b'{"target":') : -1] + b"\n")
    minutes = 0
    while True:
        for line in generated:
            yield _MINUTE.sub(partial(_later, minutes), line)
        minutes += _GENERATED_SECONDS // 60


def _later(minutes: int, found: re.Match[bytes]) -> bytes:
    hour, _, rest = found[2].partition(b":")
    total = int(hour) * 60 + int(rest) + minutes
    return found[1] + b"%02d:%02d" % (total // 60 % 24, total % 60)
