"""The figures as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def show(results: Mapping[str, Any], console: Console) -> None:
    """Print every comparison, then the other measurements."""
    measured = {name: figures for name, figures in results.items() if isinstance(figures, dict)}
    comparisons = {name: figures for name, figures in measured.items() if "ratio" in figures}
    if comparisons:
        console.print(_comparisons(comparisons))
    for name, figures in measured.items():
        if name in comparisons:
            continue
        for title, rows in figures.get("tables", {}).items():
            console.print(_measurement(f"{name}: {title}", {"rows": rows}))
        if "tables" not in figures:
            console.print(_measurement(name, figures))


def _comparisons(results: Mapping[str, Any]) -> Table:
    table = Table(title="CPU time, medians; ratio: how many times faster than the peer")
    table.add_column("benchmark", no_wrap=True)
    for head in ("workload", "ours", "peer", "ratio", "target", "spread"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, figures in results.items():
        rows = {"generated": figures} | {key: value for key, value in figures.items() if key == "recording"}
        for workload, row in rows.items():
            style = "green" if row["ratio"] >= row["target"] else "yellow"
            table.add_row(
                name,
                workload,
                cost(row["ours"], row["updates"]),
                cost(row["peer"], row["updates"]),
                f"[{style}]{row['ratio']:.2f}x[/]",
                f"{row['target']:g}x",
                f"{row['spread']:.0%}",
            )
            for side, seconds in row.get("others", {}).items():
                table.add_row(
                    "", f"({side})", "", cost(seconds, row["updates"]), f"{seconds / row['ours']:.2f}x", "", ""
                )
    return table


def _measurement(name: str, figures: Mapping[str, Any]) -> Table:
    table = Table(title=name)
    rows = figures.get("rows") or [
        {"figure": key, "value": value} for key, value in figures.items() if not isinstance(value, list)
    ]
    for head in rows[0]:
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    return table


def cost(seconds: float, updates: int) -> str:
    """Return microseconds an update, or milliseconds where no updates are counted."""
    return f"{seconds / updates * 1e6:.2f} us" if updates > 1 else f"{seconds * 1e3:.0f} ms"
