"""Writes `docs/performance.md` from the figures of a run: `python -m benchmarks.report FILE`."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import cases
from benchmarks.harness.workspace import ROOT
from benchmarks.report import live, memory_sizes
from benchmarks.report.table import cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WIDTH = 120

PAGE = ROOT / "docs" / "performance.md"
NOTES = Path(__file__).parent / "notes.md"
"""What the figures do not say by themselves; it is put at the page's end as it is."""


_CONSUMER_MEMORY = """\
The process runs the function's package alone, without Lambda's runtime client, and publishes one record an update. At
50 updates a second it takes 46 MB. Beside these it holds digests of what was read, some 130 bytes each and 400,000 at
most: this rate reaches that after 40 s. After 20 s at 4,000 a second, of which *Memory sizes* below has the peak, it is
80,000.
""".splitlines()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__, allow_abbrev=False)
    parser.add_argument("figures", type=Path, metavar="FILE", help="what `pipenv run bench --json FILE` wrote")
    parser.add_argument("--output", type=Path, default=PAGE, metavar="PAGE", help="default: docs/performance.md")
    options = parser.parse_args(arguments)
    try:
        results = json.loads(options.figures.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"{options.figures}: cannot be read ({error}); expected what `pipenv run bench --json FILE` wrote")
    options.output.write_text("\n".join(map(_wrapped, page(results))), encoding="utf-8")
    return 0


def _wrapped(line: str) -> str:
    """Return a line of prose as lines of at most 120 characters; tables and notes as they are."""
    return textwrap.fill(line, _WIDTH, break_long_words=False) if line[:1].isalnum() and "\n" not in line else line


def _verdict(is_met: bool) -> str:  # noqa: FBT001 - what it says
    return "" if is_met else ", **not met**"


def page(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield the page's lines."""
    yield "# Performance"
    yield ""
    yield "<!-- Written by `pipenv run python -m benchmarks.report FILE`; change the benchmarks or their notes. -->"
    yield ""
    yield f"Measured on {results['machine']}. The absolute figures are this machine's; the ratios travel."
    yield ""
    compared = [name for name in cases.names() if name in results]
    yield from _comparisons({name: results[name] for name in compared if not name.startswith("cold_")})
    yield from _cold_starts({name: results[name] for name in compared if name.startswith("cold_")})
    yield from _measurements(results)
    if sizes := results.get("memory_sizes"):
        yield from memory_sizes.section(sizes)
    yield NOTES.read_text(encoding="utf-8")


def _comparisons(results: Mapping[str, Any]) -> Iterator[str]:
    if not results:
        return
    yield "## Ours beside the usual way"
    yield ""
    yield "CPU time an update, medians; *ratio* is how many times less ours takes."
    yield ""
    yield "| benchmark | workload | ours | peer | ratio | to reach | |"
    yield "|---|---|---:|---:|---:|---:|---|"
    for name, figures in results.items():
        what = cases.load(name).what
        for workload in ("generated", "recording"):
            row = figures if workload == "generated" else figures.get(workload)
            if row is not None:
                yield f"| {what} (`{name}`) | {workload} | {_costs(row)} |"
    yield ""


def _cold_starts(results: Mapping[str, Any]) -> Iterator[str]:
    if not results:
        return
    yield "## Cold starts"
    yield ""
    yield "CPU time of the runtime's process from its start to its first answer, in AWS's runtime interface emulator."
    yield "The peers' columns say how their libraries lie in the package, and whether clients are made at the top."
    yield ""
    sides = list(next(iter(results.values())).get("others", {}))
    yield f"| function | ours | peer | ratio | to reach | | {' | '.join(sides)} |"
    yield f"|---|---:|---:|---:|---:|---|{'---:|' * len(sides)}"
    for name, row in results.items():
        others = " | ".join(f"{row['others'][side] * 1e3:.0f} ms" for side in sides)
        yield f"| {name.removeprefix('cold_')} | {_costs(row)} | {others} |"
    yield ""


def _costs(row: Mapping[str, Any]) -> str:
    ours, peer = (cost(row[side], row["updates"]).replace("us", "µs") for side in ("ours", "peer"))
    met = "met" if row["ratio"] >= row["target"] else "**not met**"
    return f"{ours} | {peer} | {row['ratio']:.2f} | {row['target']:g} | {met}"


def _measurements(results: Mapping[str, Any]) -> Iterator[str]:
    if latency := results.get("live_latency"):
        yield "## Latency added, from the stream's socket to the PutRecords call"
        yield ""
        yield (
            f"{latency['updates']} updates at {latency['rate']} a second: median {latency['p50_ms']:.0f} ms, "
            f"99th percentile {latency['p99_ms']:.0f} ms, largest {latency['max_ms']:.0f} ms. The flush time is "
            f"{latency['flush_ms']:.0f} ms; to reach: a 99th percentile under {latency['target_p99_ms']:.0f} ms."
        )
        yield ""
    if memory := results.get("consumer_memory"):
        yield "## The consumer's memory"
        yield ""
        peak, most = memory["peak_mb"], memory["target_peak_mb"]
        yield (
            f"{memory['seconds']:.0f} s at {memory['rate']:,} updates a second: peak {peak:.0f} MB; median of the "
            f"second quarter {memory['early_mb']:.0f} MB, of the last {memory['late_mb']:.0f} MB. To reach: under "
            f"{most} MB{_verdict(peak < most)}, flat. It used {memory['cpu_share']:.0%} of a core."
        )
        yield ""
        yield from _CONSUMER_MEMORY
        yield ""
    yield from live.sections(results)
    if growth := results.get("growth"):
        yield "## Growth"
        yield ""
        yield "CPU microseconds an update; linear growth is a column that does not rise."
        yield ""
        yield "| | updates/s | aircraft | consumer | aggregator, no sinks |"
        yield "|---|---:|---:|---:|---:|"
        for row in growth["rows"]:
            yield (
                f"| {row['pace']} | {row['updates_per_second']} | {row['aircraft']} "
                f"| {row['consumer_us']:.1f} | {row['aggregator_us']:.1f} |"
            )
        yield ""


if __name__ == "__main__":
    sys.exit(main())
