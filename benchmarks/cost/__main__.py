"""What the stack costs a month at three sizes: `pipenv run python -m benchmarks.cost`; other tables: `--help`."""

from __future__ import annotations

import argparse

from benchmarks.cost import tables
from local.command import run_command

TABLES = {
    "formats": (tables.by_format, "what the record format changes, instead of all items"),
    "batching": (tables.by_batching_window, "what the aggregator's batching window changes, and how old positions are"),
    "options": (tables.by_option, "what parameters add that are off by default"),
    "reprocessing": (tables.by_reprocessing, "what it costs to archive a month again, and to make its flights"),
    "viewers": (tables.by_viewers, "what viewers of the page cost"),
}


def main(arguments: list[str] | None = None) -> int:
    """Print a table as Markdown; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost",
        allow_abbrev=False,
        description="Print what the stack costs a month, in US dollars, as a Markdown table: at list prices of "
        "us-east-1, 30 days, 750 bytes an update, without free tiers.",
    )
    which = parser.add_mutually_exclusive_group()
    for option, (_, help_text) in TABLES.items():
        which.add_argument(f"--{option}", dest="table", action="store_const", const=option, help=help_text)
    options = parser.parse_args(arguments)
    table = TABLES[options.table][0] if options.table else tables.by_size
    print("\n".join(table()))  # noqa: T201 - the table is the output
    return 0


if __name__ == "__main__":
    run_command("cost", main)
