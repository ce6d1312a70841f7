"""The source that the command line asks for: generated traffic, a recording, or a stream that somebody else serves."""

from __future__ import annotations

import getpass
import math
import sys
from typing import TYPE_CHECKING

from common.api_token import MalformedTokenError, checked
from local.simulator import options as shared
from local.simulator.recording import RecordingError
from local.source.address import StreamAddress, read_token
from local.source.remote import RemoteSource
from local.source.simulated import SimulatedSource

if TYPE_CHECKING:
    import argparse

    from local.source.source import Source

_NOT_WITH_A_STREAM = ("replay", "rate", "aircraft", "seed", "start", "emergency", "speed", "token_interval", "chaos")


def asked_for(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Source:
    """Return the source; options that are wrong, or contradict each other, end the program by `parser.error`."""
    return _simulated(parser, given) if given.stream_url is None else _remote(parser, given)


def _simulated(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Source:
    """Return generated traffic or a recording."""
    if math.isinf(given.speed) and given.duration == 0 and given.replay is None:
        parser.error("argument --duration: got 0 together with --speed max; generated traffic has no end, give seconds")
    try:
        traffic = shared.source(given)
    except RecordingError as error:
        parser.error(f"argument --replay: {error}")
    except ValueError as error:
        text = str(error)  # from the generator it begins with the name of what is wrong: `aircraft: got 10 ...`
        parser.error(text if text.startswith("--") else f"argument --{text}")
    starts_now = given.replay is None and given.start is None and given.seed is None
    return SimulatedSource(
        traffic=traffic,
        speed=given.speed,
        token_interval=shared.token_interval(given),
        starts_late_by=60.0 * given.delay if starts_now else None,
    )


def _remote(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Source:
    """Return the stream of `--stream-url`, with the token of a file or of a person at a terminal."""
    for name in _NOT_WITH_A_STREAM:
        if getattr(given, name) != parser.get_default(name):
            option = f"--{name.replace('_', '-')}"
            parser.error(f"argument {option}: does not go together with --stream-url, whose updates come as they come")
    if given.token_file is not None:
        try:
            return RemoteSource(StreamAddress(given.stream_url, read_token(given.token_file)))
        except ValueError as error:
            parser.error(f"argument --token-file: {given.token_file}: {error}")
    if not sys.stdin.isatty():
        parser.error("argument --token-file: is absent, and there is no terminal to ask; expected a file's name")
    try:
        return RemoteSource(StreamAddress(given.stream_url, checked(getpass.getpass("API token: "))))
    except (MalformedTokenError, EOFError) as error:
        parser.error(f"API token: {error or 'none was given'}")
