"""The options of `pipenv run local`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from local.audit.envelope import FORMATS, SINGLE
from local.cli.source import asked_for
from local.run_options import SCHEDULES, RunOptions
from local.simulator import options as shared
from local.source.address import url_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.source.source import Source

_DEFAULT_DURATION = 60.0
_CHAOS_TIMEOUT = 15
_BESIDE_TOKENS = 2
"""Seconds of a run of the consumer that do not go by between two position tokens: its start and its end."""
_MOST_SHARDS = 16
_LONGEST = 900  # seconds: Lambda's bound for a timeout, and for a tumbling window

_EPILOG = """\
Exit code: 0 when nothing was lost, that is, every update the source sent is in Kinesis (or, malformed, among the
rejected lines), in the window rows and, once each, in the archive, and no record was given up; 1 when something was
lost or the run did not come to its end; 2 for a wrong option, or a stack or function that cannot be started; 3 when the
result could not be written; 130 after a second Ctrl-C, or one before anything was sent.
Of a stream that somebody else serves nobody here knows what was sent: lost is then what is in Kinesis and not in the
window rows or the archive, and 1 is also the exit code where no run of the consumer reached a position token.
Consumer runs that were cut off, duplicates and changed order lose nothing: they are named, and change no exit code.

Examples:
  local --duration 0 --open
  local --stream-url https://api.airsafe.spire.com/v2/targets/stream --token-file token --duration 600
  local --stream-url http://127.0.0.1:8080/v2/targets/stream --token-file token   (the simulator, or the feeder)"""


def _whole(low: int, high: int, unit: str) -> type[int]:
    """Return a type for argparse: whole numbers within bounds."""

    def parse(text: str) -> int:
        if not (text.isdecimal() and len(text) < 10 and low <= int(text) <= high):  # noqa: PLR2004 -- digits enough
            raise argparse.ArgumentTypeError(f"got {text!r}; expected a whole number of {unit} from {low} to {high}")
        return int(text)

    return parse  # type: ignore[return-value] # argparse calls it; what it is it does not ask


def _file_to_write(text: str) -> Path:
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a file in a folder that is there")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"got {text!r}, a folder; expected a file")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local",
        description="The whole system on this machine: simulator, functions, Kinesis, windows, alerts; no account.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    shared.add_source_options(parser)
    theirs = parser.add_argument_group("a stream that somebody else serves, instead")
    theirs.add_argument(
        "--stream-url",
        type=url_argument,
        metavar="URL",
        help="read this Tracking Stream from now on: the provider's, or what the simulator or the feeder serve",
    )
    theirs.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="holds the API token alone (default: a terminal is asked for it); it is shown nowhere",
    )
    run = parser.add_argument_group("the run")
    run.add_argument(
        "--duration",
        type=shared.not_negative,
        metavar="SECONDS",
        help=f"how long the source sends (default {_DEFAULT_DURATION:g}, a recording to its end; 0 is until Ctrl-C, or "
        "to the recording's end); with --speed max, how much of it",
    )
    run.add_argument(
        "--consumer-timeout",
        type=_whole(1, _LONGEST, "seconds"),
        metavar="SECONDS",
        help=f"the consumer's timeout (default: the template's; with --chaos {_CHAOS_TIMEOUT}, since a frozen consumer "
        "is held until its timeout)",
    )
    run.add_argument(
        "--schedule",
        choices=SCHEDULES,
        default=SCHEDULES[0],
        metavar="EVERY",
        help=f"how often the consumer is started, in the feed's time: {', '.join(SCHEDULES)} (default "
        f"{SCHEDULES[0]}); ticks are a second apart at least",
    )
    run.add_argument(
        "--stop-when-caught-up",
        action="store_true",
        help="a run of the consumer ends as soon as it has what there was when it began: with --schedule the stream is "
        "read periodically",
    )
    run.add_argument(
        "--window",
        type=_whole(1, _LONGEST, "seconds"),
        default=10,
        metavar="SECONDS",
        help="the aggregator's tumbling window (default 10)",
    )
    run.add_argument(
        "--shards",
        type=_whole(1, _MOST_SHARDS, "shards"),
        default=2,
        metavar="N",
        help="shards of the Kinesis stream (default 2)",
    )
    run.add_argument(
        "--record-format",
        choices=FORMATS,
        default=SINGLE,
        help="an update a record, or many in an envelope (default single)",
    )
    run.add_argument(
        "--chaos", type=int, metavar="SEED", help="break things on purpose; the same seed breaks the same things"
    )
    run.add_argument(
        "--no-archive", dest="archive", action="store_false", help="make no archive and no flights: it ends sooner"
    )
    run.add_argument(
        "--latest-state-table",
        dest="latest_states",
        action="store_true",
        help="write each aircraft's latest state into DynamoDB, too: one by one at the end of each window, for which "
        "the map waits (default: not, as in prod; nothing here reads the table)",
    )
    run.add_argument(
        "--unlisted",
        dest="listed",
        action="store_false",
        help="`ops --local` does not find it: for a run that is part of a script or a test",
    )
    web = parser.add_argument_group("the map and the API")
    web.add_argument("--no-web", dest="web", action="store_false", help="leave both out")
    web.add_argument(
        "--web-port", type=shared.port, default=0, metavar="N", help="TCP port on loopback (default: any free one)"
    )
    web.add_argument("--open", action="store_true", help="open the map in a browser")
    said = parser.add_argument_group("output")
    said.add_argument("--report", type=_file_to_write, metavar="FILE", help="write the result as JSON")
    said.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="keep what the run made: raw updates, archive, windows, alerts, live",
    )
    said.add_argument("--verbose", action="store_true", help="show the functions' logs, and what is left out")
    return parser


def parse(arguments: Sequence[str] | None = None) -> RunOptions:
    """Read the command line; a wrong option ends the program with exit code 2 and a message that names it."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.token_file is not None and given.stream_url is None:
        parser.error("argument --token-file: is for --stream-url, which is absent")
    source = asked_for(parser, given)
    if given.stop_when_caught_up and not source.is_of_now:
        parser.error(
            "argument --stop-when-caught-up: the consumer compares the updates' times with its clock; expected traffic "
            "of now, without --replay, --seed and --start"
        )
    interval = source.token_interval
    timeout = given.consumer_timeout
    if timeout is not None and timeout < interval + _BESIDE_TOKENS:
        parser.error(
            f"argument --consumer-timeout: got {timeout}; a run has to last from one position token to the next: "
            f"expected at least {math.ceil(interval + _BESIDE_TOKENS)}, or a shorter --token-interval than {interval:g}"
        )
    if timeout is None and given.chaos is not None:
        timeout = max(_CHAOS_TIMEOUT, math.ceil(interval) + _CHAOS_TIMEOUT - 5)
    return RunOptions(
        source=source,
        duration=_simulated_seconds(given.duration, source),
        window=given.window,
        shards=given.shards,
        record_format=given.record_format,
        consumer_timeout=timeout,
        schedule=given.schedule,
        stop_when_caught_up=given.stop_when_caught_up,
        report=given.report,
        out=given.out,
        verbose=given.verbose,
        chaos=given.chaos,
        archive=given.archive,
        latest_states=given.latest_states,
        delay=given.delay,
        web=given.web,
        web_port=given.web_port,
        open=given.open and given.web,
        listed=given.listed,
    )


def _simulated_seconds(duration: float | None, source: Source) -> float | None:
    """Return how much of the source is sent: `duration` is by the clock on the wall, unless the speed is `max`."""
    if duration is None:
        duration = _DEFAULT_DURATION if source.endless else 0.0
    return None if duration == 0 else duration * (1.0 if math.isinf(source.speed) else source.speed)
