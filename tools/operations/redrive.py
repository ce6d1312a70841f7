"""Puts the records of on-failure objects back into the stream: `python -m tools.operations.redrive`."""

from __future__ import annotations

import argparse
import base64
import errno
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # what the functions read by is there

from common import envelope
from local.standard_output import surviving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDS_PER_CALL = 500  # PutRecords' own bound (API reference)
BYTES_PER_CALL = 4_500_000  # below its bound of 5 MiB, keys included
MOST_RECORD_BYTES = 1024 * 1024  # a record's data and key (API reference, PutRecords)
ATTEMPTS = 8

_ENDS = frozenset({"AccessDenied", "AccessDeniedException", "NoSuchBucket", "ResourceNotFoundException"})
"""Errors of AWS that the next object would meet as well."""


class RedriveError(Exception):
    """Nothing more can be sent: the message says why and what to do."""


class ObjectError(Exception):
    """One object cannot be sent again: the message names it and says what to do."""


@dataclass(frozen=True)
class Failure:
    """One on-failure object: its key, which function gave its records up and why, and what goes back, as (key, data).

    `window` is None, or says whose state it holds: an object without records is all that is left of a window that
    could not be closed, and nothing of it can go back. `left_out` says of lines that cannot go back which and why.

    Envelopes are opened: one names the shard it was put into, and put anywhere else it would be passed over. The
    updates in it go back as records of their own, each by its aircraft, wherever the shards are by now.
    """

    key: str
    function: str
    condition: str
    records: list[tuple[str, bytes]]
    window: str | None
    left_out: list[str] = field(default_factory=list)


class _Context(msgspec.Struct):
    function: str = msgspec.field(name="functionArn")
    condition: str


class _Kinesis(msgspec.Struct):
    key: str = msgspec.field(name="partitionKey")
    data: str


class _Record(msgspec.Struct):
    event_id: str = msgspec.field(name="eventID")
    kinesis: _Kinesis


class _Event(msgspec.Struct):
    records: list[_Record] = msgspec.field(name="Records")
    window: dict[str, str] | None = None


class _Object(msgspec.Struct):
    """What is needed of an on-failure object; the rest, whatever it is, is skipped."""

    context: _Context = msgspec.field(name="requestContext")
    payload: msgspec.Raw
    batch: dict[str, Any] = msgspec.field(name="KinesisBatchInfo", default_factory=dict)


class _Update(msgspec.Struct):
    icao_address: str


_decode_object = msgspec.json.Decoder(_Object).decode
_decode_event = msgspec.json.Decoder(_Event).decode
_decode_update = msgspec.json.Decoder(_Update).decode


def read_failure(key: str, body: bytes) -> Failure:
    """Return what an on-failure object holds.

    Raises
    ------
    ObjectError
        It is no such object, or came with neither records nor a window.
    """
    try:
        content = _decode_object(body)
        payload = bytes(content.payload)
        event = _decode_event(json.loads(payload) if payload.startswith(b'"') else payload)
        window = None if event.records else _window(event.window or {}, content.batch)
        failure = Failure(key, content.context.function, content.context.condition, [], window)
        for number, record in enumerate(event.records, start=1):
            for place, (partition_key, data) in enumerate(_singles(record), start=1):
                problem = _problem(partition_key, data)
                if problem is None:
                    failure.records.append((str(partition_key), data))
                else:
                    failure.left_out.append(f"record {number}, line {place}: {problem}")
    except (ValueError, KeyError, RecursionError) as error:
        raise ObjectError(
            f"{key}: not read ({type(error).__name__}: {str(error)[:200]}); expected what Lambda writes to an "
            "on-failure destination in S3, with requestContext and payload. Look at it; it stays where it is"
        ) from error
    except envelope.UnknownVersionError as error:
        raise ObjectError(f"{key}: {error}. Redrive with the tools of that version") from error
    return failure


def _window(window: dict[str, str], batch: dict[str, Any]) -> str:
    return (
        f"{window['start']} to {window['end']}, {batch['shardId']}, sequence numbers {batch['startSequenceNumber']} "
        f"to {batch['endSequenceNumber']}"
    )


def _singles(record: _Record) -> Iterator[tuple[str | None, bytes]]:
    """Yield what a record becomes, as (partition key, data); None is the key of what has no address."""
    data = base64.b64decode(record.kinesis.data, validate=True)
    lines = None
    if envelope.is_envelope(data):
        with suppress(envelope.BrokenEnvelopeError):  # it goes back as it is, for the consumers to count
            lines, _ = envelope.lines(data, record.event_id.partition(":")[0])
    if lines is None:
        yield record.kinesis.key, data
        return
    for line in lines.split(b"\n")[:-1]:
        try:
            yield _decode_update(line).icao_address, line + b"\n"
        except (ValueError, RecursionError):
            yield None, line


def _problem(key: str | None, data: bytes) -> str | None:
    if key is None:
        return f"no icao_address could be read of its {len(data):,} bytes"
    if not 0 < len(key) <= 256:  # noqa: PLR2004 - API reference, PutRecords
        return f"a partition key takes 1 to 256 characters, and its icao_address has {len(key):,}"
    if len(data) + len(key.encode()) > MOST_RECORD_BYTES:
        return f"with its key it has {len(data) + len(key.encode()):,} bytes; a record takes {MOST_RECORD_BYTES:,}"
    return None


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
                "(throttled, or without permission). Redrive again later: what is sent twice has the same keys"
            )


def _batches(records: list[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for key, data in records:
        length = len(key.encode()) + len(data)
        if batch and (len(batch) == RECORDS_PER_CALL or size + length > BYTES_PER_CALL):
            yield batch
            batch, size = [], 0
        batch.append((key, data))
        size += length
    if batch:
        yield batch


@dataclass
class Outcome:
    """How many records went, or would go, and how many objects did not go back as a whole: those are never deleted."""

    records: int = 0
    kept: int = 0


def redrive(s3: Any, kinesis: Any, options: argparse.Namespace, pause: Callable[[float], None] = time.sleep) -> Outcome:
    """Redrive every object under the prefix, oldest first; what cannot go back is named, and the rest goes.

    Raises
    ------
    RedriveError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        Nothing more can be sent, or listed.
    """
    outcome = Outcome()
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=options.bucket, Prefix=options.prefix)
    listed = [entry for page in pages for entry in page.get("Contents", [])]
    for entry in sorted(listed, key=lambda entry: (entry["LastModified"], entry["Key"])):
        try:
            _redrive_object(entry["Key"], s3, kinesis, options, outcome, pause)
        except ObjectError as error:
            outcome.kept += 1
            _tell(str(error))
        except ClientError as error:
            if error.response["Error"]["Code"] in _ENDS:
                raise
            outcome.kept += 1
            _tell(f"{entry['Key']}: {error}. It stays where it is")
    return outcome


def _redrive_object(  # noqa: PLR0913, PLR0917 - an object, the two services, and what is asked for
    key: str, s3: Any, kinesis: Any, options: argparse.Namespace, outcome: Outcome, pause: Callable[[float], None]
) -> None:
    failure = read_failure(key, s3.get_object(Bucket=options.bucket, Key=key)["Body"].read())
    if failure.window is not None:
        raise ObjectError(
            f"{key}: holds a window's state and no records; rebuild that window from raw/: {failure.window}. It stays "
            "where it is"
        )
    if options.confirm:
        put_back(kinesis, options.stream, failure.records, pause)
        if options.delete and not failure.left_out:
            s3.delete_object(Bucket=options.bucket, Key=key)
    outcome.records += len(failure.records)
    line = f"{key}: {len(failure.records)} records, {failure.condition}, {failure.function.rpartition(':')[2]}"
    print(line)  # noqa: T201 - a command line talks
    if failure.left_out:
        shown = "; ".join(failure.left_out[:5]) + ("; ..." if len(failure.left_out) > 5 else "")  # noqa: PLR2004
        raise ObjectError(
            f"{key}: {len(failure.left_out)} lines cannot go back ({shown}); the raw archive has them. It stays where "
            "it is"
        )


def _tell(text: str) -> None:
    print(f"redrive: {text}", file=sys.stderr)  # noqa: T201 - a command line talks


def main(arguments: list[str] | None = None) -> int:
    """Redrive as the command line says; return the exit code: 1 where something could not go back."""
    parser = argparse.ArgumentParser(prog="python -m tools.operations.redrive", description=__doc__)
    parser.add_argument("--bucket", required=True, help="the stack's output FailuresBucketName")
    parser.add_argument("--stream", required=True, help="the stack's output UpdatesStreamName")
    parser.add_argument("--prefix", default="aws/lambda/", help="only keys that begin so (default: %(default)s)")
    parser.add_argument("--confirm", action="store_true", help="do it; without this it only says what it would do")
    parser.add_argument("--delete", action="store_true", help="remove each object once its records are in the stream")
    options = parser.parse_args(arguments)
    with surviving() as output:
        code = _run(options)
    if output.lost is not None and output.lost.errno != errno.EPIPE:
        _tell(f"standard output: {output.lost.strerror}; what was to be told is lost, the records are not")
        return 1
    return code


def _run(options: argparse.Namespace) -> int:
    try:
        outcome = redrive(boto3.client("s3"), boto3.client("kinesis"), options)
    except (BotoCoreError, ClientError) as error:
        _tell(
            f"AWS: {error} Give the region and credentials of the stack's account (AWS_REGION, AWS_PROFILE), and the "
            "names that its outputs hold"
        )
        return 1
    except RedriveError as error:
        _tell(str(error))
        return 1
    print(f"{outcome.records} records {'are back in' if options.confirm else 'would go to'} {options.stream}")  # noqa: T201
    return 1 if outcome.kept else 0


if __name__ == "__main__":
    sys.exit(main())
