"""Prints the updates of raw archive files, one JSON object a line, from records of either format."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # what the functions read by is there

from common import envelope

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        shard = str(json.loads(record)["shard"])
    except (ValueError, KeyError) as error:
        raise envelope.BrokenEnvelopeError(f"a damaged envelope: {error!r}") from None
    text, _ = envelope.lines(record, shard)
    for line in text.split(b"\n")[:-1]:
        yield line + b"\n"


def _print_all(path: Path, out: BinaryIO) -> int:
    """Write the updates of one file, and tell of what cannot be read; return how many records that were."""
    broken = 0
    with gzip.open(path) as file:
        for number, record in enumerate(file, start=1):
            try:
                out.writelines(updates(record))
            except (envelope.UnknownVersionError, envelope.BrokenEnvelopeError) as error:
                broken += 1
                print(f"{path}, line {number}: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
    return broken


def main(arguments: list[str] | None = None) -> int:
    """Print the updates of the files; return 1 if a record could not be read, which is told on the error output."""
    parser = argparse.ArgumentParser(prog="python -m tools.operations.updates", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="objects of the data bucket's raw/, gzipped as they are")
    files = parser.parse_args(arguments).files
    return 1 if sum(_print_all(path, sys.stdout.buffer) for path in files) else 0


if __name__ == "__main__":
    sys.exit(main())
