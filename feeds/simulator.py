"""The simulator command: serves a Tracking Stream, or sends its updates to Kinesis.

`pipenv run simulator --port 8080 --token secret` serves the stream; `pipenv run simulator --to-kinesis STREAM` sends
its updates into a Kinesis stream, as the consumer would.
"""

from __future__ import annotations

import argparse
import math
import sys
import threading
import time
from typing import TYPE_CHECKING

from feeds import kinesis_options
from feeds.errors import FeedError
from feeds.progress import SendingBar
from feeds.pump import pump
from feeds.stopping import Stopping
from local.clock import SystemClock
from local.command import run_command
from local.simulator import __main__ as stream_simulator
from local.simulator import options as shared
from local.simulator.flights import GeneratedTraffic
from local.simulator.recording import Recording, RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.kinesis_sender import KinesisSender
    from local.simulator.feed import Source

_ONLY_SERVED = ("port", "token", "keep", "token_interval")
_SHOW_SECONDS = 0.2


def _parser() -> argparse.ArgumentParser:
    parser = stream_simulator.parser()
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    group = parser.add_argument_group("into Kinesis, rather than served")
    kinesis_options.add_kinesis_options(group)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve or send until the source ends, Ctrl-C or SIGTERM; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    kinesis_options.refuse_others(parser, options, only_served=_ONLY_SERVED)
    if options.to_kinesis is None:
        return stream_simulator.serve(options, parser)
    if math.isinf(options.speed) and options.replay is None and not options.duration:
        parser.error("--speed max: generated traffic has no end; expected a --duration beside it")
    if options.seed is not None and not options.delay and options.start is None and options.replay is None:
        options.start = time.time()  # with a seed, too: a stack's alerts and map are about now
    try:
        source = shared.source(options)
    except (ValueError, RecordingError) as error:
        parser.error(str(error))
    return _send(source, options)


def _send(source: Source, options: argparse.Namespace) -> int:
    stopping = Stopping()
    try:
        with stopping.on_signals():
            sender = kinesis_options.sender(options)
            sender.start()
            try:
                return _sent(source, sender, options, stopping)
            finally:
                sender.close()
    except FeedError as error:
        sys.stderr.write(f"simulator: error: {error}\n")
        return 1


def _sent(source: Source, sender: KinesisSender, options: argparse.Namespace, stopping: Stopping) -> int:
    clock, began, failures = SystemClock(), time.monotonic(), list[BaseException]()
    duration = options.duration or None
    stop = stopping.asked

    def work() -> None:
        try:
            pump(source, sender.send, speed=options.speed, duration=duration, stop=stop, clock=clock)
        except BaseException as error:  # noqa: BLE001 -- raised where it is waited for
            failures.append(error)

    for note in getattr(source, "notes", ()):
        sys.stderr.write(f"simulator: {note}\n")
    pumping = threading.Thread(target=work, name="pump")
    complete = False
    with SendingBar(sender, options.to_kinesis, _expected(source, options.duration)) as show:
        pumping.start()
        while pumping.is_alive() and not stop.is_set() and not sender.failed.is_set():
            pumping.join(_SHOW_SECONDS)
            show()
        stop.set()
        sender.interrupt()
        pumping.join()
        try:
            complete = not failures and sender.drain(kinesis_options.DRAIN_SECONDS, stopping.hurry)
        finally:
            show()
    sys.stdout.write(kinesis_options.summary(sender, options.to_kinesis, time.monotonic() - began) + "\n")
    if failures:
        raise failures[0]
    if not complete:
        left = sender.sent - sender.acknowledged
        raise FeedError(f"{left:,} updates were not acknowledged ({sender.trouble or 'ended by a second signal'})")
    return 0


def _expected(source: Source, duration: float) -> float | None:
    """Return how many updates will come, about; None if that is not known."""
    if isinstance(source, GeneratedTraffic):
        return source.rate * duration or None
    return len(source) if isinstance(source, Recording) and not duration else None


if __name__ == "__main__":
    run_command("simulator", main)
