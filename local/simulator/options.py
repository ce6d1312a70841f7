"""Command-line options that the local stack and the stand-alone simulator share: types, checks and the source."""

from __future__ import annotations

import argparse
import math
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.simulator import times
from local.simulator.fleet import CAPACITY
from local.simulator.flights import SHORTEST_INTERVAL, UPDATE_INTERVAL, GeneratedTraffic
from local.simulator.recording import Recording

if TYPE_CHECKING:
    from local.simulator.feed import Source

MEGABYTE = 1_000_000
"""Bytes, of `--keep`."""

DEFAULT_RATE = 50.0
"""Updates a second: what a large region sends."""

_DEFAULT_AIRCRAFT = 300
_LONGEST_TOKEN_INTERVAL, _SHORTEST_TOKEN_INTERVAL = 15.0, 0.2
"""Seconds: the API sends a token at least every 15 s, which a faster clock shortens and a slower one leaves."""

_LONGEST_DELAY = 720
"""Minutes: what the template's StreamDelayMinutes takes."""

_MOST_DIGITS = 12
_EARLIEST, _LATEST = "1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z"
"""Between them generated traffic may begin: flights have times before and after the moment."""

_NOT_WITH_REPLAY = "is for generated traffic; it does not go together with --replay"

_SEEDED_START = "2024-03-04T00:00:00Z"
"""Simulated time at which traffic of a given seed begins: the same bytes need the same start."""


def speed(text: str) -> float:
    """Return simulated seconds per second: a number above 0, or infinity for `max`."""
    return math.inf if text == "max" else _number(text, "a number above 0, or max", above=0)


def positive(text: str) -> float:
    """Return a number above 0."""
    return _number(text, "a number above 0", above=0)


def not_negative(text: str) -> float:
    """Return a number from 0."""
    return _number(text, "a number from 0", above=-math.ulp(0.0))


def count(text: str) -> int:
    """Return a whole number from 1."""
    if not (text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) > 0):
        raise argparse.ArgumentTypeError(f"got {text[:40]!r}; expected a whole number from 1")
    return int(text)


def _delay(text: str) -> int:
    if not (text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) <= _LONGEST_DELAY):
        raise argparse.ArgumentTypeError(f"got {text[:40]!r}; expected a whole number of minutes to {_LONGEST_DELAY}")
    return int(text)


def port(text: str) -> int:
    """Return a TCP port, where 0 is any free one."""
    highest = 65535
    if not (text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) <= highest):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a port from 0 (any free one) to {highest}")
    return int(text)


def moment(text: str) -> float:
    """Return seconds since the epoch for an ISO 8601 time."""
    try:
        seconds = times.parse(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a time such as {_SEEDED_START}") from None
    if not times.parse(_EARLIEST) <= seconds <= times.parse(_LATEST):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a time from {_EARLIEST} to {_LATEST}")
    return seconds


def _number(text: str, takes: str, *, above: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value > above and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected {takes}")
    return value


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which updates come, from `--replay` to `--emergency`, and when: `--speed`, `--token-interval`."""
    source = parser.add_argument_group("what is streamed")
    source.add_argument(
        "--replay",
        type=Path,
        nargs="+",
        action="extend",
        metavar="PATH",
        help="recordings (.ndjson, .ndjson.gz), and raw objects and Parquet hours of the archive, several and mixed: "
        "played in the order of ingestion times. A folder stands for the files in it and below, that of `local --out` "
        "for its raw objects; patterns in quotes are taken, too",
    )
    source.add_argument(
        "--rate",
        type=positive,
        metavar="N",
        help=f"generated updates a second (default {DEFAULT_RATE:g}, or fewer where --aircraft asks for few)",
    )
    source.add_argument(
        "--aircraft",
        type=count,
        metavar="N",
        help=f"aircraft in the generated traffic, at least {SHORTEST_INTERVAL} for each update a second (default "
        f"{_DEFAULT_AIRCRAFT}, or {UPDATE_INTERVAL} for each update a second); up to {CAPACITY:,}",
    )
    source.add_argument("--seed", type=int, metavar="N", help="makes the generated traffic repeatable, byte for byte")
    source.add_argument(
        "--start",
        type=moment,
        metavar="TIME",
        help=f"simulated time at which the generated traffic begins (default now, with --seed {_SEEDED_START})",
    )
    source.add_argument(
        "--delay",
        type=_delay,
        default=0,
        metavar="MINUTES",
        help="generated traffic begins so many minutes ago: the stream is as late as the provider's Recent History "
        "(240)",
    )
    source.add_argument(
        "--emergency",
        action="store_true",
        help="one aircraft of the generated traffic squawks 7700 from the first seconds on, whatever --seed says",
    )
    source.add_argument(
        "--speed", type=speed, default=1.0, metavar="N|max", help="simulated seconds per second (default 1)"
    )
    source.add_argument(
        "--token-interval",
        type=positive,
        metavar="SECONDS",
        help="between position tokens (default "
        f"{_LONGEST_TOKEN_INTERVAL:g} divided by the speed, at least {_SHORTEST_TOKEN_INTERVAL:g} and at most "
        f"{_LONGEST_TOKEN_INTERVAL:g})",
    )


def add_token_option(group: argparse._ActionsContainer) -> None:
    """Add `--token`, which clients of the served stream bear."""
    group.add_argument("--token", default="local", metavar="T", help="API token that clients bear (default local)")


def add_keep_option(group: argparse._ActionsContainer, default: int, meaning: str) -> None:
    """Add `--keep`, the megabytes of memory for updates that were sent."""
    group.add_argument("--keep", type=count, default=default, metavar="MB", help=meaning)


def token_interval(options: argparse.Namespace) -> float:
    """Return seconds between position tokens: those asked for, or as the API sends them at the feed's speed."""
    given: float | None = options.token_interval
    at_speed: float = _LONGEST_TOKEN_INTERVAL / options.speed
    return given or min(_LONGEST_TOKEN_INTERVAL, max(_SHORTEST_TOKEN_INTERVAL, at_speed))


def source(options: argparse.Namespace, *, now: float | None = None) -> Source:
    """Return the source that the options of `add_source_options` ask for; `now` is for those who own time.

    Raises
    ------
    ValueError
        Options contradict each other, or ask for more than there is.
    RecordingError
        The recording is absent or malformed.
    """
    if options.replay is not None:
        _check_replay(options)
        return Recording(*options.replay)
    rate, aircraft = options.rate, options.aircraft
    if rate is None:
        rate = DEFAULT_RATE if aircraft is None else min(DEFAULT_RATE, aircraft / UPDATE_INTERVAL)
    if aircraft is None and rate > CAPACITY / UPDATE_INTERVAL:
        raise ValueError(
            f"rate: got {rate:g} without --aircraft; expected at most {CAPACITY / UPDATE_INTERVAL:g}, as {CAPACITY:,} "
            f"aircraft send every {UPDATE_INTERVAL} s, or --aircraft beside it"
        )
    if aircraft is None:
        aircraft = max(_DEFAULT_AIRCRAFT, math.ceil(rate * UPDATE_INTERVAL))
    start = _start(options, now)
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    return GeneratedTraffic(rate=rate, aircraft=aircraft, seed=seed, start=start, emergency=options.emergency)


def _start(options: argparse.Namespace, now: float | None) -> float:
    """Return when generated traffic begins, in seconds since the epoch."""
    start: float | None = options.start
    if options.delay and (start is not None or options.seed is not None):
        raise ValueError("--delay is for traffic of now; it does not go together with --start and --seed")
    if start is not None:
        return start
    if options.seed is not None:
        return times.parse(_SEEDED_START)
    minutes: int = options.delay
    return (time.time() if now is None else now) - 60 * minutes


def _check_replay(options: argparse.Namespace) -> None:
    for name in ("rate", "aircraft", "seed", "start"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} {_NOT_WITH_REPLAY}")
    for name in ("emergency", "delay"):
        if getattr(options, name):
            raise ValueError(f"--{name} {_NOT_WITH_REPLAY}")
