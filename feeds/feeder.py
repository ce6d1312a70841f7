"""Makes target updates of what an ADS-B receiver hears, and serves them as a Tracking Stream or sends them to Kinesis.

`pipenv run feeder --sbs localhost:30003 --serve 8080` or `pipenv run feeder --aircraft-json URL --to-kinesis STREAM`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from feeds import kinesis_options
from feeds.aircraft_json_receiver import AircraftJsonReceiver
from feeds.aircraft_state import AircraftState
from feeds.clocks import NeverFalling
from feeds.errors import FeedError
from feeds.malformed import Malformed
from feeds.received_log import ReceivedLog
from feeds.sbs_receiver import SbsReceiver
from feeds.stopping import Stopping
from local.command import run_command
from local.machine import MachineError, check_loopback
from local.simulator import options as shared
from local.simulator.server import TrackingStreamServer
from local.threads import ThreadWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from feeds.receiver import Receiver

    type Take = Callable[[list[bytes], float], None]

_SBS_PORT = 30003
_BESIDE_AN_ADDRESS = frozenset("/?#@")
"""What a URL may have beside host and port."""

_DEFAULT_KEEP = 256
_ONLY_SERVED = ("token", "token_interval", "keep")
_LOOK_SECONDS, _TICK_SECONDS = 0.2, 0.1


def _receiver_address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, or of `HOST` alone; an IPv6 address that has a port is in brackets."""
    is_bare_ipv6 = text.count(":") > 1 and not text.startswith("[")
    try:
        parts = urlsplit(f"//[{text}]" if is_bare_ipv6 else f"//{text}")
        host, port = parts.hostname or "", _SBS_PORT if parts.port is None else parts.port
        host.encode("idna")  # as sockets do: no part of a name may be empty, or too long
    except ValueError:
        host, port = "", 0
    if not (host and port) or not _BESIDE_AN_ADDRESS.isdisjoint(text):
        raise argparse.ArgumentTypeError(
            f"got {text[:80]!r}; expected HOST:PORT, such as localhost:{_SBS_PORT} or [::1]:{_SBS_PORT}"
        )
    return host, port


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # the port is checked by looking at it
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise argparse.ArgumentTypeError(
            f"got {text[:80]!r}; expected an address such as http://HOST/tar1090/data/aircraft.json"
        )
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="feeder", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    hears = parser.add_argument_group("the receiver").add_mutually_exclusive_group(required=True)
    hears.add_argument(
        "--sbs",
        type=_receiver_address,
        metavar="HOST:PORT",
        help=f"BaseStation lines, as dump1090 and readsb send them (port {_SBS_PORT} where none is given)",
    )
    hears.add_argument(
        "--aircraft-json", type=_url, metavar="URL", help="readsb's aircraft.json, asked for each second"
    )
    served = parser.add_argument_group("serve the updates on this machine")
    served.add_argument(
        "--serve", type=shared.port, metavar="PORT", help="TCP port of the Tracking Stream (0: any free)"
    )
    shared.add_token_option(served)
    served.add_argument(
        "--token-interval",
        type=shared.positive,
        default=15.0,
        metavar="SECONDS",
        help="between position tokens (default 15)",
    )
    shared.add_keep_option(
        served,
        _DEFAULT_KEEP,
        f"memory for updates of the last 24 hours, for clients that look back (default {_DEFAULT_KEEP})",
    )
    kinesis_options.add_kinesis_options(parser.add_argument_group("or send them into Kinesis"))
    return parser


def _tell(text: str) -> None:
    sys.stderr.write(f"feeder: {text}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Feed until Ctrl-C or SIGTERM; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.serve is None) == (options.to_kinesis is None):
        parser.error("expected one of --serve PORT and --to-kinesis STREAM")
    kinesis_options.refuse_others(parser, options, only_served=_ONLY_SERVED)
    stopping, now, malformed = Stopping(), NeverFalling(_tell), Malformed(_tell)
    receiver: Receiver
    if options.sbs is not None:
        receiver = SbsReceiver(options.sbs, malformed, now=now, tell=_tell)
    else:
        receiver = AircraftJsonReceiver(options.aircraft_json, malformed, now=now, tell=_tell)
    feeds = _to_kinesis if options.serve is None else _serving

    def died(text: str) -> None:
        _tell(text)
        stopping.asked.set()

    try:
        with (
            ThreadWatch(died) as threads,
            contextlib.closing(receiver),
            stopping.on_signals(),
            feeds(options, now, stopping) as take,
        ):
            made = feed(receiver, take, now, stopping.asked)
    except FeedError as error:
        _tell(f"error: {error}")
        return 1
    sys.stdout.write(f"Stopped: {made:,} updates made, {malformed.count:,} malformed lines or entries left out.\n")
    return int(threads.failed.is_set())


def feed(receiver: Receiver, take: Take, now: Callable[[], float], stop: threading.Event) -> int:
    """Hand the updates of what a receiver hears to `take`, until `stop` is set; return how many there were.

    `take` gets messages of the stream, perhaps none, and their ingestion time: several times a second, and from here.
    """
    state, made, next_at = AircraftState(), 0, 0.0
    while not stop.is_set():
        observations = receiver.read(stop)
        at = now()
        for seen in observations:
            state.observe(seen, at)
        if at < next_at:
            continue
        next_at = at + _TICK_SECONDS
        updates = state.updates(at)
        made += len(updates)
        take(updates, at)
    return made


@contextlib.contextmanager
def _serving(options: argparse.Namespace, now: Callable[[], float], _stopping: Stopping) -> Iterator[Take]:
    log = ReceivedLog(now, keep_bytes=options.keep * shared.MEGABYTE)
    try:
        check_loopback()
        server = TrackingStreamServer(
            log, token=options.token, token_interval=options.token_interval, port=options.serve
        )
    except MachineError as error:
        raise FeedError(str(error)) from error
    except ValueError as error:
        raise FeedError(f"--{error}") from error
    except OSError as error:
        raise FeedError(
            f"--serve: {options.serve} cannot be used: {error.strerror}; take another, or 0 for any free one"
        ) from error
    with server:
        sys.stdout.write(
            f"The Tracking Stream is at {server.url} (Ctrl-C stops it). For example:\n"
            f'curl -N -H "Authorization: Bearer {options.token}" "{server.url}?compression=none"\n'
        )
        sys.stdout.flush()
        try:
            yield log.release
        finally:
            log.finish()


@contextlib.contextmanager
def _to_kinesis(options: argparse.Namespace, _now: Callable[[], float], stopping: Stopping) -> Iterator[Take]:
    sender, began = kinesis_options.sender(options), time.monotonic()
    sender.start()
    _tell(f"sending to {options.to_kinesis} (Ctrl-C stops it)")
    ended = threading.Event()

    def watch() -> None:  # `send` may be waiting for Kinesis when an end is asked for
        while not (stopping.asked.is_set() or sender.failed.is_set()):
            if ended.wait(_LOOK_SECONDS):
                return
        sender.interrupt()

    watching = threading.Thread(target=watch, name="watch")
    watching.start()
    try:
        yield lambda messages, _at: sender.send(messages)
        complete = sender.drain(kinesis_options.DRAIN_SECONDS, stopping.hurry)
        sys.stdout.write(kinesis_options.summary(sender, options.to_kinesis, time.monotonic() - began) + "\n")
        if not complete:
            raise FeedError(f"{sender.sent - sender.acknowledged:,} updates were not acknowledged ({sender.trouble})")
    finally:
        ended.set()
        watching.join()
        sender.close()


if __name__ == "__main__":
    run_command("feeder", main)
