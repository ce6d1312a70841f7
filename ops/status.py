"""`ops status`: the whole pipeline on one screen."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from common.clock import rfc3339
from ops import duration
from ops.errors import OpsError
from ops.finding import ATTENTION, OK, Finding, as_json, gather, is_well
from ops.looks import Looks
from ops.output import say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from ops.stack import Stack

EXAMPLES = """\
examples:
  pipenv run ops status --stack aircraft-stream-dev
  pipenv run ops status --local --watch
  pipenv run ops status --stack aircraft-stream --json | jq .healthy

exit code: 0 if nothing needs attention, 1 if something does, 2 if the stack cannot be found or asked. What cannot be
looked at (a permission is missing) is said, and changes no exit code."""

_COLOURS = {OK: "green", ATTENTION: "bold red"}
_EVERY = 5.0
_NARROW = 60
"""Columns: with fewer, words of a table are cut."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--watch", action="store_true", help="look again and again, until Ctrl-C")
    parser.add_argument(
        "--every",
        type=duration.of_some_length,
        default=_EVERY,
        metavar="SPAN",
        help="with --watch: how often (default 5s)",
    )
    parser.add_argument(
        "--span",
        type=duration.of_metrics,
        default=300.0,
        metavar="SPAN",
        help="of which time the metrics are, up to now (default 5m, 15d at most)",
    )


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Show as the command line says; return 1 if something needs attention."""
    looks = Looks(stack, timedelta(seconds=options.span))
    if options.watch:
        return _watch(stack, looks, options)
    now = datetime.now(UTC)
    findings = gather(looks.all(now))
    if options.json:
        say_json(as_json(stack.name, rfc3339(now), findings))
    else:
        show(stack.name, now, findings)
    return 0 if is_well(findings) else 1


def _watch(stack: Stack, looks: Looks, options: argparse.Namespace) -> int:
    def look() -> tuple[datetime, list[Finding]]:
        now = datetime.now(UTC)
        try:
            return now, gather(looks.all(now))
        except OpsError as error:
            if stack.is_local:  # it has ended, and does not come back under its address
                raise
            return now, [Finding("stack", ATTENTION, str(error))]

    if options.json or not sys.stdout.isatty():
        while True:
            now, findings = look()
            if options.json:
                say_json(as_json(stack.name, rfc3339(now), findings))
            else:
                show(stack.name, now, findings)
            sys.stdout.flush()  # somebody reads along
            time.sleep(options.every)
    console = Console()
    with Live(picture(stack.name, *look(), console.width), console=console, auto_refresh=False, screen=False) as live:
        while True:
            time.sleep(options.every)
            live.update(picture(stack.name, *look(), console.width), refresh=True)


def show(name: str, now: datetime, findings: Iterable[Finding]) -> None:
    """Print findings for people."""
    console = Console()
    console.print(picture(name, now, findings, console.width))


def picture(name: str, now: datetime, findings: Iterable[Finding], width: int) -> Any:
    """Return what is shown to people: a line a part, and below what needs attention what to do.

    Where a terminal is narrower than three columns need, they follow each other.
    """
    well = "all is well" if is_well(findings := list(findings)) else "something needs attention"
    title = Text(f"{name}, {rfc3339(now)}: {well}", style="bold")
    if width < _NARROW:
        return Group(title, *map(_paragraph, findings))
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column()
    for one in findings:
        table.add_row(one.part, Text(one.state, style=_COLOURS.get(one.state, "yellow")), Text(one.text))
        if one.do and one.state != OK:
            table.add_row("", "", Text(one.do, style="italic"))
    return Group(title, table)


def _paragraph(one: Finding) -> Text:
    text = Text(f"{one.part}: ").append(one.state, style=_COLOURS.get(one.state, "yellow")).append(f", {one.text}")
    return text.append(f". {one.do}", style="italic") if one.do and one.state != OK else text
