"""The ways through an hour's raw objects that are compared: the archive's, DuckDB's own, and each step by itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import duckdb
from isal import igzip

from archive.archiving import Archiving
from archive.raw_object import blocks
from archive.report import Report
from archive.schema import COLUMNS, KEY
from archive.settings import MOST_UPDATES
from archive.staging import Staging
from archive.store import Store
from archive.update import _decode_lines as decode_json
from archive.update import decode_lines
from benchmarks.archive.raw_hour import HOUR
from benchmarks.harness.machine import cpu_seconds
from local.aws.folder_bucket import FolderBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_COLUMNS: Final = "{" + ", ".join(f"{column.name}: '{column.type}'" for column in COLUMNS) + "}"
_CHUNK: Final = 64 * 1024


def archived(scratch: Path, folder: Path, memory: int) -> dict[str, int]:
    """Do as the function does, with so many MB for DuckDB; return the updates read and the rows written."""
    return _archived(scratch, folder, memory, again=False)


def archived_again(scratch: Path, folder: Path, memory: int) -> dict[str, int]:
    """Do the same for what has been read; the hour's object has all of it, so that no row is written."""
    return _archived(scratch, folder, memory, again=True)


def _archived(scratch: Path, folder: Path, memory: int, *, again: bool) -> dict[str, int]:
    bucket: Any = FolderBucket(folder)
    staging = Staging(scratch, memory)
    try:
        archiving = Archiving(Store(bucket, ""), staging, scratch, MOST_UPDATES)
        archiving.run([HOUR], lambda: 1e9, report := Report(), again=again)
    finally:
        staging.close()
    return {"updates": report.updates, "rows": sum(report.rows.values())}


def recipe(scratch: Path, folder: Path, memory: int) -> None:
    """Do as DuckDB's manual does: `read_json`, distinct keys, one sort; without envelopes, and any row is an update."""
    config: Any = {"threads": 1, "memory_limit": f"{memory}MB", "temp_directory": str(scratch / "duckdb")}
    with duckdb.connect(config=config) as connection:
        keys = ", ".join(KEY)
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT DISTINCT ON ({keys}) * FROM read_json('{folder}/raw/*/*/*.gz', "  # noqa: S608 - ours
            f"format = 'newline_delimited', columns = {_COLUMNS}) ORDER BY {keys}) "
            f"TO '{folder}/recipe.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )


def steps(scratch: Path, folder: Path, memory: int) -> dict[str, float]:
    """Return the CPU seconds of each step of the archive's way; the first three are run again within the later ones."""
    paths = sorted(folder.glob("raw/*/*/*.gz"))

    def found() -> Iterator[bytes]:
        for path in paths:
            yield from blocks(partial(_chunks, path), _reject)

    seconds = {
        "inflate": _timed(lambda: [sum(map(len, _inflated(path))) for path in paths]),
        "inflate, cut into lines": _timed(lambda: sum(map(len, found()))),
        "inflate, cut, JSON": _timed(lambda: [len(decode_json(lines)) for lines in found()]),
    }
    staging = Staging(scratch, memory)
    try:
        begun, handing = cpu_seconds(), 0.0
        for lines in found():
            batch = decode_lines(lines, staging.identities, _reject)
            handing -= cpu_seconds()
            staging.add(batch)
            handing += cpu_seconds()
        seconds["inflate, cut, JSON, columns"] = cpu_seconds() - begun - handing
        handing += _timed(staging.hand_over)
        seconds["hand to DuckDB"] = handing
        (hour, *_) = staging.hours()
        seconds["find duplicates, sort, write Parquet"] = _timed(lambda: staging.write(hour, scratch / "hour.parquet"))
        (scratch / "hour.parquet").unlink()
    finally:
        staging.close()
    return seconds


def _timed(work: Callable[[], object]) -> float:
    begun = cpu_seconds()
    work()
    return cpu_seconds() - begun


def _inflated(path: Path) -> Iterator[bytes]:
    with igzip.IGzipFile(path) as file:  # type: ignore[no-untyped-call]  # it has no stubs
        while text := file.read(256 * 1024):
            yield text


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _reject(_line: bytes, reason: str) -> None:
    raise ValueError(f"generated traffic has what is no update: {reason}")
