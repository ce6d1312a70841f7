"""The Tracking Stream alone, for your own client: `pipenv run simulator --port 8080 --token secret`."""

from __future__ import annotations

import argparse
import logging
import math
import signal
import sys
from typing import TYPE_CHECKING

from local.command import run_command
from local.machine import MachineError, check_loopback
from local.signals import SignalledEvent, handled_by
from local.simulator import options as shared
from local.simulator.feed import Feed
from local.simulator.recording import RecordingError
from local.simulator.server import TrackingStreamServer
from local.simulator.update_log import LONGEST_LOOK_BACK
from local.threads import ThreadWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_KEEP = 512
_LOOK_SECONDS = 0.1


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser, for whoever adds options of its own to it."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=shared.port, default=0, metavar="N", help="TCP port (default: any free one)")
    shared.add_token_option(parser)
    shared.add_source_options(parser)
    parser.add_argument(
        "--duration",
        type=shared.not_negative,
        default=0.0,
        metavar="SECONDS",
        help="simulated seconds after which no more updates come (default 0: never, or at the recording's end)",
    )
    shared.add_keep_option(
        parser,
        _DEFAULT_KEEP,
        "memory for what generated traffic has sent, for clients that look back: "
        f"{_DEFAULT_KEEP} by default, which is two minutes of the world's 4000 updates a second, three hours of a "
        "region's 50, and at most 24 simulated hours; a position token or a start before that is refused",
    )
    return parser


def _tell(text: str) -> None:
    sys.stderr.write(f"simulator: {text}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    takes = parser()
    return serve(takes.parse_args(arguments), takes)


def serve(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Serve what the options of `parser` ask for, until Ctrl-C or SIGTERM; return the exit code."""
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    try:
        check_loopback()
        source = shared.source(options)
        # A simulator may run for days: what no request can reach any more is dropped. A recording is in memory anyway.
        forgets = source.endless and math.isfinite(options.speed)
        feed = Feed(
            source,
            speed=options.speed,
            duration=options.duration or None,
            keep=LONGEST_LOOK_BACK if forgets else None,
            keep_bytes=options.keep * shared.MEGABYTE if forgets else None,
            tell=_tell,
        )
        server = TrackingStreamServer(
            feed, token=options.token, token_interval=shared.token_interval(options), port=options.port
        )
    except (MachineError, ValueError, RecordingError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--port: {options.port} cannot be used: {error.strerror}; take another, or 0 for any free one")
    stop = SignalledEvent()
    for note in getattr(source, "notes", ()):
        _tell(note)
    with (
        handled_by(lambda *_: stop.set(), (signal.SIGINT, signal.SIGTERM)),
        ThreadWatch(_tell) as threads,
        server,
    ):
        feed.start()
        sys.stdout.write(
            f"The Tracking Stream is at {server.url} (Ctrl-C stops it). For example:\n"
            f'curl -N -H "Authorization: Bearer {options.token}" "{server.url}?compression=none"\n'
        )
        sys.stdout.flush()
        while not stop.wait(_LOOK_SECONDS) and not threads.failed.is_set():
            pass
        feed.stop()
    sys.stdout.write(f"Stopped: {feed.count} updates released, {server.connections} streams served.\n")
    return int(threads.failed.is_set())


if __name__ == "__main__":
    run_command("simulator", main)
