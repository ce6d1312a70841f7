"""Prints the updates of raw archive files, one JSON object a line, from records of either format."""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from common import envelope
from local.command import run_command

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Named(msgspec.Struct):
    shard: str


_shard = msgspec.json.Decoder(_Named).decode


def updates(record: bytes) -> Iterator[bytes]:
    """Yield the updates of one line of the archive, each with its line end.

    The archive does not say which shard a record was in, so a misplaced envelope's updates are given too: they stand
    elsewhere in the archive once more, under the same keys.

    Raises
    ------
    common.envelope.UnknownVersionError, common.envelope.BrokenEnvelopeError
        It is an envelope that cannot be opened.
    """
    if not envelope.is_envelope(record):
        yield record
        return
    try:
        shard = _shard(record).shard
    except (ValueError, RecursionError) as error:
        raise envelope.BrokenEnvelopeError(f"a damaged envelope: {error}") from None
    text, _ = envelope.lines(record, shard)
    for line in text.split(b"\n")[:-1]:
        yield line + b"\n"


def _print_all(path: Path, out: BinaryIO) -> int:
    """Write the updates of one file, and tell of what cannot be read; return how many records that were."""
    broken = number = 0
    try:
        with gzip.open(path) as file:
            for number, record in enumerate(file, start=1):
                try:
                    found = list(updates(record))
                except (envelope.UnknownVersionError, envelope.BrokenEnvelopeError) as error:
                    broken += 1
                    _tell(f"{path}, line {number}: {error}")
                else:
                    _write(out, found)
    except gzip.BadGzipFile as error:
        _tell(f"{path}: {error}; expected an object of the data bucket's raw/, gzipped as it is")
    except (EOFError, zlib.error) as error:
        _tell(f"{path}: cut or damaged after {number:,} lines ({error}); fetch it again")
    except OSError as error:
        _tell(f"{path}: {error.strerror or error}")
    else:
        return broken
    return broken + 1


class _OutputError(Exception):
    """What was read cannot be written; the cause says why."""


def _write(out: BinaryIO, lines: list[bytes]) -> None:
    try:
        out.writelines(lines)
    except OSError as error:
        raise _OutputError from error


def _tell(text: str) -> None:
    print(f"updates: {text}", file=sys.stderr)  # noqa: T201 - a command line talks


def main(arguments: list[str] | None = None) -> int:
    """Print the updates of the files; return 1 if something could not be read, which is reported on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tools.operations.updates", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="objects of the data bucket's raw/, gzipped as they are")
    files = parser.parse_args(arguments).files
    out = sys.stdout.buffer
    try:
        unread = sum(_print_all(path, out) for path in files)
        _flush(out)
    except _OutputError as error:
        # What is still in the buffer is written at the interpreter's end: to nowhere, rather than with an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error.__cause__, BrokenPipeError):
            return 0  # the reader has seen enough, as `head` has
        _tell(f"standard output: {error.__cause__}")
        return 1
    return 1 if unread else 0


def _flush(out: BinaryIO) -> None:
    try:
        out.flush()
    except OSError as error:
        raise _OutputError from error


if __name__ == "__main__":
    run_command("updates", main)
