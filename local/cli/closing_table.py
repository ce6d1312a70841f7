"""The table at a run's end, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from local.counted import counted

if TYPE_CHECKING:
    from rich.console import Console

    from local.audit.report import Report


def show_report(console: Console, report: Report) -> None:
    """Print the closing table and the verdict."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    figures = report.as_json()
    source, kinesis, aggregator = figures["source"], figures["kinesis"], figures["aggregator"]
    alerts, consumer = figures["alerts"], figures["consumer"]
    if report.is_source_known:
        table.add_row(
            "Source", f"{source['updates']:,}", f"updates, {source['kind']}; connections: {source['connections']:,}"
        )
        order = f"{kinesis['out_of_order']:,} out of order"
        came = f"updates; {kinesis['lost']:,} lost, {kinesis['duplicates']:,} twice, {order}"
    else:
        table.add_row("Source", "-", "not known: the stream is somebody else's")
        came = f"updates; {kinesis['duplicates']:,} twice; what was lost before, or came in another order, is not known"
    table.add_row("Kinesis", f"{kinesis['updates']:,}", came)
    if "envelopes" in figures:
        envelopes = figures["envelopes"]
        table.add_row(
            "Records", f"{envelopes['records']:,}", f"hold them; {envelopes['misplaced']:,} misplaced envelopes"
        )
    table.add_row(
        "Window rows",
        f"{aggregator['updates']:,}",
        f"updates in {counted(aggregator['rows'], 'row')} of {counted(aggregator['windows'], 'window')}; "
        f"{counted(aggregator['invocations'], 'invocation')}",
    )
    if (archive := figures["archive"]) is not None:
        table.add_row(
            "Archive",
            f"{archive['updates']:,}",
            f"updates in {counted(archive['hours'], 'hour')}; "
            f"{archive['missing']:,} missing, {archive['doubled']:,} twice",
        )
    table.add_row(
        "Alerts",
        f"{alerts['notified']:,}",
        f"sent, {alerts['suppressed']:,} suppressed; {counted(alerts['invocations'], 'invocation')}",
    )
    table.add_row(
        "Consumer",
        f"{consumer['invocations']:,}",
        f"{'run' if consumer['invocations'] == 1 else 'runs'}; "
        f"{consumer['graceful_stops']:,} ended at a token, {consumer['hard_stops']:,} did not; "
        f"{100 * consumer['reading_share']:.1f} % of the time spent reading",
    )
    if report.is_source_known:
        table.add_row(
            "Throughput",
            f"{figures['updates_per_second']:,.0f}",
            "updates a second, from the first one sent to the end of the last invocation",
        )
    table.add_row("Rejected", f"{figures['rejected']:,}", f"rejected lines, {figures['dead_letters']:,} dead letters")
    console.print(table)
    for note in report.notes():
        console.print(f"[yellow]Warning:[/yellow] {note}", highlight=False)
    losses = report.losses()
    for loss in losses:
        console.print(f"[bold red]Lost:[/bold red] {loss}", highlight=False)
    if not losses and report.stream.source:
        whole = "Nothing was lost." if report.is_source_known else "Nothing that came into Kinesis was lost."
        console.print(f"[bold green]{whole}[/bold green]", end=" ")
    console.print(f"[dim]{figures['elapsed_seconds']:,} seconds.[/dim]", highlight=False)
