"""The report's section on memory sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.harness.workspace import FULL
from benchmarks.measures.memory_sizes import MOST_CLOSING_SECONDS, MOST_SHARE, MOST_START_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_INTRODUCTION = f"""\
## Memory sizes

None of this ran in Lambda: it is calculated from measured CPU time. Lambda gives CPU in proportion to memory, one vCPU
at 1,769 MB (Lambda developer guide, *Configure Lambda function memory*), so that a duration is the CPU time divided by
the share. Prices are list prices of arm64. Waiting for AWS is left out; so are TLS to Kinesis and the stream, and what
another processor makes of the same code. Work that keeps its CPU busy costs the same at every size: a larger one is
sooner done.

*Enough* is the smallest size that holds twice the memory that was used and meets one bound. The consumer: at most
{MOST_SHARE:.0%} of its CPU at the whole world's rate, since Lambda's processors may take twice as long, and it has to
catch up even then. The aggregator: at most {MOST_CLOSING_SECONDS:g} s for the end of a full shard's window, during
which the shard waits. The alerts function: at most {MOST_START_SECONDS:g} s for a cold start with its first alerts.
The consumer's peak memory is that of {FULL.growth_seconds:g} s at the whole world's rate.
"""

_SECONDS: Callable[[float], str] = "{:.2f} s".format
_SHARE: Callable[[float], str] = "{:.1%}".format
_DOLLARS: Callable[[float], str] = "${:.2f}".format

_COLUMNS: Mapping[str, Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "consumer": {
        "start_s": ("cold start", _SECONDS),
        "share_at_50": ("of its CPU at 50/s", _SHARE),
        "share_at_4000": ("at 4,000/s", _SHARE),
        "share_at_100000": ("at 100,000/s", _SHARE),
        "most_updates_per_s": ("keeps up with, updates/s", "{:,.0f}".format),
        "dollars_a_month": ("a month, around the clock", _DOLLARS),
    },
    "aggregator": {
        "start_s": ("cold start, with a batch", _SECONDS),
        "batch_s": ("2,000 updates, 5,000 aircraft in the state", _SECONDS),
        "closing_s": ("end of that window: rows and 5,000 table writes", _SECONDS),
        "dollars_a_month": ("a month, a full shard", _DOLLARS),
    },
    "alerts": {
        "start_s": ("cold start, with two alerts", _SECONDS),
        "two_alerts_s": ("two alerts", _SECONDS),
        "full_batch_s": ("100 alerts", _SECONDS),
        "dollars_a_million_batches": ("a million batches of two", _DOLLARS),
    },
}


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield the section's lines."""
    yield _INTRODUCTION
    for function, columns in _COLUMNS.items():
        peak = figures["measured"][function]["peak_mb"]
        yield f"| {function}, peak memory {peak:.0f} MB | {' | '.join(head for head, _ in columns.values())} |"
        yield f"|---|{'---:|' * len(columns)}"
        for row in figures["tables"][function]:
            size = f"{row['memory_mb']} MB" + (" (enough)" if row["memory_mb"] == figures["enough"][function] else "")
            yield f"| {size} | {' | '.join(write(row[name]) for name, (_, write) in columns.items())} |"
        yield ""
