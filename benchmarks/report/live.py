"""The report's sections on the live state: what a snapshot takes, how fresh positions are, how soon the API answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def sections(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the sections that there are figures for."""
    for name, (title, write) in _SECTIONS.items():
        if figures := results.get(name):
            yield from (f"## {title}", "", write(figures), "")


def _snapshot(of: Mapping[str, Any]) -> str:
    return (
        f"{of['aircraft']:,} aircraft: {of['cpu_ms']:.1f} ms of CPU, {of['least_cpu_ms']:.1f} at best; to reach: "
        f"{of['target_ms']:g}. {of['bytes_an_aircraft']:.1f} bytes an aircraft."
    )


def _freshness(of: Mapping[str, Any]) -> str:
    return (
        f"Since the provider received it, in the slower record format: median {of['p50_s']:.1f} s, 95th percentile "
        f"{of['p95_s']:.1f} s; to reach: {of['target_p95_s']:g} s."
    )


def _answers(of: Mapping[str, Any]) -> str:
    return (
        f"A bounding box among {of['aircraft']:,} aircraft, {of['aircraft_an_answer']:.0f} in an answer: median "
        f"{of['p50_ms']:.1f} ms, 99th percentile {of['p99_ms']:.1f} ms, of which {of['cpu_ms']:.1f} ms of CPU. To "
        f"reach: a 99th percentile under {of['target_p99_ms']:g} ms."
    )


_SECTIONS = {
    "live_snapshot": ("A snapshot of the live state", _snapshot),
    "live_freshness": ("How old a position is when a viewer first sees it", _freshness),
    "api_answers": ("The API's answers, warm", _answers),
}
