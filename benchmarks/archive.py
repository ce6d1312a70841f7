"""`pipenv run python -m benchmarks.archive`: an hour's updates through the archive, beside DuckDB's own recipe.

Traffic of some minutes is generated once and sent again with later times until there is enough: as many aircraft and
updates for each as an hour of the world has, at the scale asked for.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
from isal import igzip

from archive.archiving import Archiving
from archive.schema import COLUMNS, KEY
from archive.settings import MOST_UPDATES
from archive.staging import Staging
from archive.store import Store
from benchmarks.harness.machine import peak_memory
from local.aws.folder_bucket import FolderBucket
from local.simulator.flights import GeneratedTraffic
from local.simulator.options import count

if TYPE_CHECKING:
    from collections.abc import Iterator

WORLD: Final = 14_400_000
"""Updates of an hour at 4,000 a second."""

AIRCRAFT, INTERVAL = 20_000, 5
"""Of the world, and seconds between an aircraft's updates."""

_HOUR: Final = datetime(2024, 3, 4, 23, tzinfo=UTC)
_GENERATED_SECONDS: Final = 120
_PER_OBJECT: Final = 300_000
"""Updates of a raw object: some 50 MB, as Firehose makes them."""

_MINUTE: Final = re.compile(rb'("(?:ingestion_time|timestamp)":"2024-03-04T)(2[23]:\d\d)')
_COLUMNS: Final = "{" + ", ".join(f"{column.name}: '{column.type}'" for column in COLUMNS) + "}"


def main() -> None:
    """Measure, and print what came out as JSON."""
    parser = argparse.ArgumentParser(prog="archive", description=__doc__, allow_abbrev=False)
    parser.add_argument("--updates", type=count, default=480_000, help="default: %(default)s")
    parser.add_argument("--memory", type=count, default=1448, help="MB for DuckDB (default: %(default)s)")
    parser.add_argument("--recipe", action="store_true", help="run DuckDB's own recipe afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="archive-") as name:
        folder = Path(name)
        raw = _write_raw(folder, options.updates)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:  # whose memory is the archive's
            measured = alone.submit(_measure, folder, options.memory, options.updates).result()
        measured["raw_bytes_per_update"] = round(raw / options.updates, 1)
        if options.recipe:
            measured["recipe_cpu_us_per_update"] = _recipe(folder, options.memory, options.updates)
    print(json.dumps(measured, indent=1))  # noqa: T201 - what was asked for


def _write_raw(folder: Path, updates: int) -> int:
    """Write the raw objects; return their bytes."""
    target = folder / f"raw/date={_HOUR:%Y-%m-%d}/hour={_HOUR:%H}"
    target.mkdir(parents=True)
    written, lines = 0, _lines(updates)
    for number in range(-(-updates // _PER_OBJECT)):
        some = b"".join(islice(lines, min(_PER_OBJECT, updates - number * _PER_OBJECT)))
        written += (target / f"{number:04}.gz").write_bytes(igzip.compress(some))
    return written


def _lines(updates: int) -> Iterator[bytes]:
    scale = updates / WORLD
    aircraft = max(100, round(AIRCRAFT * scale))
    source = GeneratedTraffic(rate=aircraft / INTERVAL, aircraft=aircraft, seed=7, start=_HOUR.timestamp())
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


def _measure(folder: Path, memory: int, updates: int) -> dict[str, Any]:
    bucket: Any = FolderBucket(folder)
    scratch = folder / "scratch"
    scratch.mkdir()
    staging = Staging(scratch, memory)
    disk = _Disk(scratch)
    wall, cpu = time.monotonic(), time.process_time()
    disk.start()
    try:
        report = Archiving(Store(bucket, ""), staging, scratch, MOST_UPDATES).run([_HOUR], lambda: 1e9)
    finally:
        staging.close()
        disk.stop()
    return {
        "updates": report.updates,
        "rows": sum(report.rows.values()),
        "cpu_us_per_update": round((time.process_time() - cpu) / updates * 1e6, 2),
        "seconds": round(time.monotonic() - wall, 1),
        "most_resident_mb": peak_memory() // 2**20,
        "most_disk_mb": round(disk.most / 1e6),
        "parquet_bytes_per_update": round(
            sum(path.stat().st_size for path in folder.glob("archive/updates/*/*/*.parquet")) / updates, 1
        ),
    }


class _Disk(threading.Thread):
    """Looks how many bytes a folder takes, and keeps the most."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._folder = folder
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.5):
            taken = 0
            for path in self._folder.rglob("*"):
                try:
                    taken += path.stat().st_blocks * 512
                except FileNotFoundError:
                    continue  # DuckDB has removed it
            self.most = max(self.most, taken)

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()


def _recipe(folder: Path, memory: int, updates: int) -> float:
    """Return the microseconds of CPU that `read_json` and one sort take, by one thread as well."""
    config: Any = {"threads": 1, "memory_limit": f"{memory}MB", "temp_directory": str(folder / "scratch")}
    began = time.process_time()
    with duckdb.connect(config=config) as connection:
        keys = ", ".join(KEY)
        connection.execute(
            f"COPY (SELECT DISTINCT ON ({keys}) * FROM read_json('{folder}/raw/*/*/*.gz', "  # noqa: S608 - ours
            f"format = 'newline_delimited', columns = {_COLUMNS}) ORDER BY {keys}) "
            f"TO '{folder}/recipe.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
    return round((time.process_time() - began) / updates * 1e6, 2)


if __name__ == "__main__":
    main()
