"""Records a Tracking Stream into a file that `local --replay` and the simulator play again.

Its position token is kept beside the file: after an end of any kind the same command goes on where it stopped, and
nothing is missing or in the file twice, as long as that is within the 6 hours for which a token is good.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from common.clock import SystemClock
from consumer.backoff import Backoff
from consumer.deadline import Deadline
from consumer.errors import RequestRefusedError, UnauthorizedError
from consumer.stream.client import FromToken, StreamClient, TokenRefusedError
from consumer.stream.connection import StreamInterruptedError
from consumer.stream.messages import MessageParser, PositionToken, Status, StreamUpdate, without_mark
from feeds.errors import FeedError
from feeds.recording_file import RecordingFile
from feeds.stopping import Stopping
from local.command import run_command
from local.simulator import options as shared
from local.source.address import read_token, url_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDLESS_SECONDS = 100 * 365 * 86_400.0
_TELL_SECONDS = 10.0
_BACKOFF = Backoff(base=1.0, cap=60.0)
_MEGABYTE = 1_000_000


class Recorder:
    """Reads connections one after the other, until it is asked to stop."""

    def __init__(self, client: StreamClient, file: RecordingFile, start: str, stopping: threading.Event) -> None:
        self.rejected = 0
        """Lines left out, as no replay takes them: no message, or an update without an ingestion time."""
        self._client, self._file, self._start, self._stopping = client, file, start, stopping
        self._deadline = Deadline(SystemClock(), _ENDLESS_SECONDS)
        self._parser = MessageParser()
        self._failures = 0
        self._told_at = time.monotonic()

    def run(self) -> None:
        """Record until it is asked to stop.

        Raises
        ------
        FeedError
            The file cannot be written, or the server refuses what is asked for.
        """
        while not self._stopping.is_set():
            wait = 0.0
            try:
                self._read()
                reason = "the server has ended the response"
            except StreamInterruptedError as error:
                reason, wait = str(error), error.retry_after
            except TokenRefusedError as error:
                raise FeedError(
                    f"{error}. If it is older than 6 hours, what came since is lost to this recording: remove "
                    f"{self._file.path.name}.position, put the file aside, and start again"
                ) from None
            except UnauthorizedError:
                raise FeedError(
                    "the server refuses the API token of --token-file (401); expected a valid one"
                ) from None
            except RequestRefusedError as error:
                raise FeedError(str(error)) from None
            if self._stopping.is_set():
                return
            self._file.go_back()
            self._failures += 1
            wait = max(wait, _BACKOFF.delay(self._failures))
            _tell(f"{reason}; connecting again in {wait:.1f} s")
            self._stopping.wait(wait)

    def _read(self) -> None:
        token = self._file.position_token
        connection = self._client.open(FromToken(token or self._start), deadline=self._deadline)
        try:
            for blocks in connection.blocks():
                for block in blocks:
                    if isinstance(block, bytes):
                        for line in block.split(b"\n"):
                            self._take(line)
                    else:
                        self.rejected += 1
                if self._stopping.is_set():
                    return
        finally:
            connection.close()

    def _take(self, line: bytes) -> None:
        line = without_mark(line)
        if not line.strip():
            return
        message = self._parser.parse(line)
        if isinstance(message, StreamUpdate) and message.ingestion_time is not None:
            self._file.add(line)
        elif isinstance(message, PositionToken):
            self._file.commit(message.token)
            self._failures = 0
            if time.monotonic() - self._told_at >= _TELL_SECONDS:
                self._told_at = time.monotonic()
                _tell(f"{self._file.updates:,} updates in {self._file.path}")
        elif not isinstance(message, Status):
            self.rejected += 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Record until Ctrl-C or SIGTERM; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    filters = dict(options.filter)
    stopping = Stopping()
    try:
        token = _api_token(options.token_file)
        file = RecordingFile(
            options.out,
            rotate_bytes=options.rotate_megabytes and options.rotate_megabytes * _MEGABYTE,
            rotate_seconds=options.rotate_minutes and options.rotate_minutes * 60,
            now=time.time,
            is_from_beginning=options.start == "BEGINNING",
        )
        with stopping.on_signals():
            client = StreamClient(options.url, token, filters, "gzip")
            recorder = Recorder(client, file, options.start, stopping.asked)
            threading.Thread(target=_abort, args=(stopping, client), daemon=True).start()
            try:
                recorder.run()
            finally:
                file.close()
    except FeedError as error:
        _tell(f"error: {error}")
        return 1
    rejected = f"; {recorder.rejected:,} lines left out, which hold no update" if recorder.rejected else ""
    goes_on = file.position_token is not None or options.start == "BEGINNING"
    gap = "" if goes_on else ". No position token has come: the same command goes on at the newest update, after a gap"
    _tell(f"stopped: {file.updates:,} updates in {file.path}{rejected}{gap}")
    return 0


def _abort(stopping: Stopping, client: StreamClient) -> None:
    stopping.asked.wait()
    client.abort()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="record", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--url",
        required=True,
        type=url_argument,
        help="of the stream, such as that which the simulator prints: https, or http to this machine",
    )
    parser.add_argument("--token-file", required=True, type=Path, metavar="FILE", help="holds the API token alone")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.ndjson.gz", help="continued if it is there")
    parser.add_argument(
        "--start",
        choices=("LATEST", "BEGINNING"),
        default="LATEST",
        help="where a recording begins that is not continued (default %(default)s)",
    )
    parser.add_argument(
        "--filter", action="append", default=[], type=_filter, metavar="NAME=VALUE", help="a parameter of the stream"
    )
    parser.add_argument("--rotate-minutes", type=shared.positive, metavar="N", help="a new file after so long")
    parser.add_argument("--rotate-megabytes", type=shared.positive, metavar="N", help="a new file at that size")
    return parser


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected NAME=VALUE, such as latitude_between=33.4,33.9")
    return name, value


def _api_token(path: Path) -> str:
    try:
        return read_token(path)
    except ValueError as error:
        raise FeedError(f"--token-file {path}: {error}") from None


def _tell(text: str) -> None:
    print(f"record: {text}", file=sys.stderr, flush=True)  # noqa: T201 - a command line talks


if __name__ == "__main__":
    run_command("record", main)
