"""Finds the files of a replay: named files, folders and patterns."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from local.simulator.recorded import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDINGS = (".ndjson", ".ndjson.gz", ".parquet")
_RAW = "raw"


def found(paths: Iterable[Path]) -> list[Path]:
    """Return the files, each once, in the order in which they are named; those of one folder or pattern sorted.

    A folder stands for all files in it and below whose names end in .ndjson, .ndjson.gz or .parquet; one that has a
    folder `raw`, as `pipenv run local --out` leaves it, for that one's.

    Raises
    ------
    RecordingError
        A folder holds no such file, or a pattern matches nothing.
    """
    files: dict[Path, None] = {}
    for path in paths:
        files |= dict.fromkeys(_of(path))
    return list(files)


def _of(path: Path) -> list[Path]:
    if path.is_dir():
        return _within(path)
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    matched = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 -- takes `/a/*`, too
    if not matched:
        raise RecordingError(f"{path}: matches no file")
    return [file for one in matched for file in (_within(one) if one.is_dir() else [one])]


def _within(folder: Path) -> list[Path]:
    root = folder / _RAW if (folder / _RAW).is_dir() else folder
    files = sorted(one for one in root.rglob("*") if one.name.endswith(_ENDINGS) and one.is_file())
    if not files:
        raise RecordingError(f"{root}: holds no file whose name ends in {', '.join(_ENDINGS)}")
    return files
