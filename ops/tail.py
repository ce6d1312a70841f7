"""`ops tail`: shows data as it arrives: updates, window rows, alerts, rejected lines, on-failure objects."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from local.event_source_mapping.filter import RecordFilter
from local.simulator.options import count
from ops import duration
from ops.explain import read_pattern
from ops.objects import AlertLog, FailureObjects, RejectedLines, WindowRows
from ops.output import say_line
from ops.updates import Updates

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from ops.stack import Stack

EXAMPLES = """\
examples:
  pipenv run ops tail updates --local
  pipenv run ops tail updates --stack NAME --pattern '{"data":{"altitude_baro":[{"numeric":["<",1000]}]}}'
  pipenv run ops tail failures --stack NAME --since 6h --once

Each line is JSON, so that `| jq` goes on with it. A pattern is EventBridge's, under the key `data`; envelopes are
opened first, so that it is asked of each update. `updates` takes one of the five reads a second that a shard gives to
all; rows come when Firehose has written them, within a minute or two; of alerts the newest hundred are seen.
exit code: 0; 2 if the stack cannot be found or asked, or the pattern cannot be read."""

SOURCES = {
    "updates": Updates,
    "windows": WindowRows,
    "alerts": AlertLog,
    "rejected": RejectedLines,
    "failures": FailureObjects,
}
"""What can be followed, by its word on the command line."""


class Source(Protocol):
    """Something that grows."""

    interval: float
    """Seconds between two looks."""

    def new(self) -> Iterator[bytes]:
        """Yield the lines that have come since the last look."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("what", choices=tuple(SOURCES), help="what to show")
    parser.add_argument("--pattern", metavar="PATTERN", help="only what matches this filter pattern, or @FILE's")
    parser.add_argument(
        "--since", type=duration.seconds, default=0.0, metavar="SPAN", help="begin so far back, e.g. 15m (default: now)"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="end after N lines")
    parser.add_argument("--once", action="store_true", help="end with what there is by now")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Show as the command line says, until it is interrupted or has shown enough."""
    wanted = RecordFilter([read_pattern(options.pattern)]) if options.pattern else None
    source: Source = SOURCES[options.what](stack, time.time() - options.since)
    follow(source, wanted, show=say_line, limit=options.limit, once=options.once)
    return 0


def follow(  # noqa: PLR0913 - what to follow, what of it, and when to end
    source: Source,
    wanted: Callable[[bytes], bool] | None,
    *,
    show: Callable[[bytes], None],
    limit: int | None = None,
    once: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Show each line of a source that is wanted; return after `limit` of them, or with `once` after the first look."""
    shown = 0
    while True:
        for line in source.new():
            if wanted is not None and not wanted(line):
                continue
            show(line)
            shown += 1
            if shown == limit:
                return
        sys.stdout.flush()  # somebody reads along
        if once:
            return
        pause(source.interval)
