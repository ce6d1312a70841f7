"""`pipenv run python -m benchmarks.archive`: an hour's updates through the archive, and what the world's would take."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.archive import raw_hour, runs
from benchmarks.harness import machine
from benchmarks.harness.alone import measured, say
from local.simulator.options import count

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print what came out as JSON."""
    parser = argparse.ArgumentParser(prog="archive", description=__doc__, allow_abbrev=False)
    parser.add_argument("--updates", type=count, default=480_000, help="of the hour (default: %(default)s)")
    parser.add_argument("--memory", type=count, default=1448, help="MB for DuckDB (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="archive the hour a second time afterwards")
    parser.add_argument("--recipe", action="store_true", help="run DuckDB's own recipe afterwards, for a ratio")
    parser.add_argument("--steps", action="store_true", help="run each step by itself: where the CPU time goes")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="archive-") as name:
        also = {one for one in ("again", "recipe", "steps") if getattr(options, one)}
        figures = measure(Path(name), options.updates, options.memory, also)
    print(json.dumps(figures, indent=1))  # noqa: T201 - what was asked for


def measure(folder: Path, updates: int, memory: int, also: Collection[str] = ()) -> dict[str, Any]:
    """Return what an hour of so many updates takes, and the hour of the world by it; `also` has options' names."""
    say(f"{updates:,} updates are generated")
    raw = raw_hour.write(folder, updates)
    found, cost = measured("archive", runs.archived, folder / "scratch", folder, memory)
    parquet = sum(path.stat().st_size for path in folder.glob("archive/updates/*/*/*.parquet"))
    figures: dict[str, Any] = {
        "machine": machine.describe(),
        **found,
        "memory_for_duckdb_mb": memory,
        "cpu_us_per_update": _per_update(cost.cpu_seconds, updates),
        "most_resident_mb": cost.most_resident_mb,
        "most_disk_mb": cost.most_disk_mb,
        "raw_bytes_per_update": round(raw / updates, 1),
        "parquet_bytes_per_update": round(parquet / updates, 1),
    }
    scale = raw_hour.WORLD / updates
    figures["world"] = {
        "updates": raw_hour.WORLD,
        "cpu_seconds": round(cost.cpu_seconds * scale),
        "most_disk_mb": round(cost.most_disk_mb * scale),
        "parquet_mb": round(parquet * scale / 1e6),
    }
    if "again" in also:
        _, more = measured("archive, again", runs.archived_again, folder / "scratch", folder, memory)
        figures["again_cpu_us_per_update"] = _per_update(more.cpu_seconds, updates)
        figures["again_most_resident_mb"] = more.most_resident_mb
        figures["again_most_disk_mb"] = more.most_disk_mb
    if "recipe" in also:
        _, other = measured("DuckDB's recipe", runs.recipe, folder / "scratch", folder, memory)
        figures["recipe_cpu_us_per_update"] = _per_update(other.cpu_seconds, updates)
        figures["times_the_recipe"] = round(cost.cpu_seconds / other.cpu_seconds, 2)
    if "steps" in also:
        seconds, _ = measured("each step by itself", runs.steps, folder / "scratch", folder, memory)
        figures["steps_cpu_us_per_update"] = {step: _per_update(one, updates) for step, one in seconds.items()}
    return figures


def _per_update(seconds: float, updates: int) -> float:
    return round(seconds / updates * 1e6, 2)


if __name__ == "__main__":
    main()
