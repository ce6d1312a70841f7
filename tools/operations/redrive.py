"""Puts the records of on-failure objects back into the stream: `python -m tools.operations.redrive`."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # what the functions read by is there

from common import envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDS_PER_CALL = 500  # PutRecords' own bound (API reference)
BYTES_PER_CALL = 4_500_000  # below its bound of 5 MiB, keys included
ATTEMPTS = 8


class RedriveError(Exception):
    """An object cannot be sent again: the message names it and says what to do."""


@dataclass(frozen=True)
class Failure:
    """One on-failure object: its key, which function gave its records up and why, and what goes back, as (key, data).

    `window` is None, or says whose state it holds: an object without records is all that is left of a window that
    could not be closed, and nothing of it can go back.

    Envelopes are opened: one names the shard it was put into, and put anywhere else it would be passed over. The
    updates in it go back as records of their own, each by its aircraft, wherever the shards are by now.
    """

    key: str
    function: str
    condition: str
    records: list[tuple[str, bytes]]
    window: str | None


def read_failure(key: str, body: bytes) -> Failure:
    """Return what an on-failure object holds.

    Raises
    ------
    RedriveError
        It is no such object, or came with neither records nor a window.
    """
    try:
        content = json.loads(body)
        payload = content["payload"]
        event = json.loads(payload) if isinstance(payload, str) else payload
        records = [single for record in event["Records"] for single in _singles(record)]
        context = content["requestContext"]
        window = None if event["Records"] else _window(event["window"], content["KinesisBatchInfo"])
        return Failure(key, context["functionArn"], context["condition"], records, window)
    except (ValueError, KeyError, TypeError) as error:
        raise RedriveError(
            f"{key}: not read ({error!r}); expected what Lambda writes to an on-failure destination in S3, with "
            "requestContext and payload. Look at it; name the others by --prefix"
        ) from error
    except envelope.UnknownVersionError as error:
        raise RedriveError(f"{key}: {error}. Redrive with the tools of that version") from error


def _window(window: dict[str, str], batch: dict[str, Any]) -> str:
    return (
        f"{window['start']} to {window['end']}, {batch['shardId']}, sequence numbers {batch['startSequenceNumber']} "
        f"to {batch['endSequenceNumber']}"
    )


def _singles(record: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    key, data = record["kinesis"]["partitionKey"], base64.b64decode(record["kinesis"]["data"], validate=True)
    lines = None
    if envelope.is_envelope(data):
        with suppress(envelope.BrokenEnvelopeError):  # it goes back as it is, for the consumers to count
            lines, _ = envelope.lines(data, record["eventID"].partition(":")[0])
    if lines is None:
        yield key, data
    else:
        for line in lines.split(b"\n")[:-1]:
            yield json.loads(line)["icao_address"], line + b"\n"


def put_back(kinesis: Any, stream: str, records: list[tuple[str, bytes]], pause: Callable[[float], None]) -> None:
    """Put `records` into the stream, trying again what is refused.

    Order per key is kept between calls, not within one of which a part is refused: nobody counts on it any more.

    Raises
    ------
    RedriveError
        Some were still refused after several attempts.
    """
    for batch in _batches(records):
        waiting = batch
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(min(5.0, 0.2 * 2**attempt))
            entries = [{"PartitionKey": key, "Data": data} for key, data in waiting]
            answers = kinesis.put_records(StreamName=stream, Records=entries)["Records"]
            waiting = [record for record, answer in zip(waiting, answers, strict=True) if "ErrorCode" in answer]
            if not waiting:
                break
        else:
            raise RedriveError(
                f"stream {stream}: still refused {len(waiting)} of {len(batch)} records after {ATTEMPTS} attempts "
                "(throttled, or without permission). Redrive again later: repeats have the same keys"
            )


def _batches(records: list[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for key, data in records:
        length = len(key) + len(data)
        if batch and (len(batch) == RECORDS_PER_CALL or size + length > BYTES_PER_CALL):
            yield batch
            batch, size = [], 0
        batch.append((key, data))
        size += length
    if batch:
        yield batch


def redrive(
    s3: Any, kinesis: Any, options: argparse.Namespace, pause: Callable[[float], None] = time.sleep
) -> tuple[int, int]:
    """Redrive every object under the prefix, oldest first.

    Return how many records went, or would go, and how many objects hold none: those are named, and never deleted.
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=options.bucket, Prefix=options.prefix)
    listed = [entry for page in pages for entry in page.get("Contents", [])]
    total = states = 0
    for entry in sorted(listed, key=lambda entry: (entry["LastModified"], entry["Key"])):
        key = entry["Key"]
        failure = read_failure(key, s3.get_object(Bucket=options.bucket, Key=key)["Body"].read())
        if failure.window is not None:
            states += 1
            print(  # noqa: T201 - a command line talks
                f"redrive: {key}: holds a window's state and no records; rebuild that window from raw/: "
                f"{failure.window}. It stays where it is",
                file=sys.stderr,
            )
            continue
        if options.confirm:
            put_back(kinesis, options.stream, failure.records, pause)
            if options.delete:
                s3.delete_object(Bucket=options.bucket, Key=key)
        total += len(failure.records)
        line = f"{key}: {len(failure.records)} records, {failure.condition}, {failure.function.rpartition(':')[2]}"
        print(line)  # noqa: T201 - the same
    return total, states


def main(arguments: list[str] | None = None) -> int:
    """Redrive as the command line says; return the exit code: 1 where something could not go back."""
    parser = argparse.ArgumentParser(prog="python -m tools.operations.redrive", description=__doc__)
    parser.add_argument("--bucket", required=True, help="the stack's output FailuresBucketName")
    parser.add_argument("--stream", required=True, help="the stack's output UpdatesStreamName")
    parser.add_argument("--prefix", default="aws/lambda/", help="only keys that begin so (default: %(default)s)")
    parser.add_argument("--confirm", action="store_true", help="do it; without this it only says what it would do")
    parser.add_argument("--delete", action="store_true", help="remove each object once its records are in the stream")
    options = parser.parse_args(arguments)
    try:
        total, states = redrive(boto3.client("s3"), boto3.client("kinesis"), options)
    except RedriveError as error:
        print(f"redrive: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
        return 1
    print(f"{total} records {'are back in' if options.confirm else 'would go to'} {options.stream}")  # noqa: T201 - the same
    return 1 if states else 0


if __name__ == "__main__":
    sys.exit(main())
