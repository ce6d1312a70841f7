"""Puts the records of on-failure objects back into the stream, once each; `ops.redrive` is the command."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError, ResponseStreamingError

from common.clock import rfc3339
from common.printable import printable
from ops.errors import AWS_ERRORS, OpsError, code, explained
from ops.failures import PREFIX, Failure, ObjectError, read_failure
from ops.output import complain, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDS_PER_CALL = 500  # PutRecords' own bound (API reference)
BYTES_PER_CALL = 4_500_000  # below its bound of 5 MiB, keys included
ATTEMPTS = 8
MARK = "redriven"
"""The tag of an object whose records are in the stream; its value is when they were put there."""

_ENDS = frozenset({"AccessDenied", "AccessDeniedException", "NoSuchBucket", "ResourceNotFoundException"})
"""Errors of AWS that the next object would meet as well."""

_IN_SUCCESSION = 3
"""So many objects that AWS fails one after another say that it fails: the rest is left for another time."""

_LONGEST = 500
"""Characters of the reason why an object was given up that are shown."""

_LONGEST_MESSAGE = 2_000
"""Characters of a message that are shown: more than any update of the provider's has, and a record may hold 1 MB."""

_NONSENSE = (AttributeError, KeyError, TypeError, ValueError)
"""What boto3 raises where an answer of status 200 is JSON of another shape than the service's."""


@dataclass
class Report:
    """What became of each object. `kept` are those that did not go back as a whole: they are never deleted."""

    stream: str
    confirmed: bool
    objects: list[dict[str, Any]] = field(default_factory=list)
    records: int = 0
    kept: int = 0
    passed_over: int = 0


@dataclass(frozen=True)
class Wanted:
    """What is asked for: which objects, how many messages to show of each, and what to do with them."""

    prefix: str = PREFIX
    function: str = ""
    show: int = 0
    confirm: bool = False
    delete: bool = False
    again: bool = False


def put_back(kinesis: Any, stream: str, records: list[tuple[str, bytes]], pause: Callable[[float], None]) -> None:
    """Put `records` into the stream, trying again what is refused.

    Order per key is kept between calls, not within one of which a part is refused: nobody counts on it any more.

    Raises
    ------
    OpsError
        Some were still refused after several attempts.
    """
    for batch in _batches(records):
        waiting = batch
        for attempt in range(ATTEMPTS):
            if attempt:
                pause(min(5.0, 0.2 * 2**attempt))
            entries = [{"PartitionKey": key, "Data": data} for key, data in waiting]
            try:
                answer = kinesis.put_records(StreamName=stream, Records=entries)
            except _NONSENSE:
                continue
            waiting = _not_taken(waiting, answer)
            if not waiting:
                break
        else:
            raise OpsError(
                f"stream {stream}: still refused {len(waiting)} of {len(batch)} records after {ATTEMPTS} attempts "
                "(throttled, without permission, or not acknowledged). Redrive again later: what is sent twice has the "
                "same keys"
            )


def _not_taken(records: list[tuple[str, bytes]], answer: Any) -> list[tuple[str, bytes]]:
    """Return the records that the answer does not acknowledge; each that it does has a sequence number there.

    Whatever else was answered with status 200 acknowledges nothing: an object is deleted on the strength of this.
    """
    answers = answer.get("Records", ())
    if len(answers) != len(records):
        return records
    return [
        record
        for record, one in zip(records, answers, strict=True)
        if one.get("ErrorCode") or not one.get("SequenceNumber")
    ]


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


def _ends(error: Exception) -> bool:
    """Whether an error is of AWS as a whole: not permitted, or not to be reached though it was tried again."""
    if isinstance(error, ClientError):
        return code(error) in _ENDS
    return isinstance(error, HTTPClientError) and not isinstance(error, ResponseStreamingError)


class Redrive:
    """Goes through a bucket's on-failure objects, oldest first."""

    def __init__(  # noqa: PLR0913 - two services, two names, what is asked for, and how to wait
        self,
        s3: Any,
        kinesis: Any,
        *,
        bucket: str,
        stream: str,
        wanted: Wanted,
        tell: Callable[[str], None] = say,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._s3 = s3
        self._kinesis = kinesis
        self._bucket = bucket
        self._wanted = wanted
        self._tell = tell
        self._pause = pause
        self._began = False
        self.report = Report(stream, wanted.confirm)

    def run(self) -> Report:
        """Redrive each object that is asked for; what cannot go back is named, and the rest goes.

        Where AWS fails as a whole after something was done, what is left is named as well.

        Raises
        ------
        OpsError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            Nothing can be listed, or sent.
        """
        keys = self._listed()
        failed = 0
        for number, key in enumerate(keys, start=1):
            try:
                self._one(key)
                failed = 0
            except ObjectError as error:
                self._keep(key, str(error))
                failed = 0
            except (OpsError, *AWS_ERRORS) as error:
                failed += 1
                ends = _ends(error)
                if ends and not self._began and not self.report.objects:
                    raise
                self._keep(key, f"{key}: {explained(error)}. It stays where it is")
                if ends or failed == _IN_SUCCESSION:
                    for left in keys[number:]:
                        self._keep(left, f"{left}: not tried, since AWS fails. It stays where it is")
                    break
        return self.report

    def _listed(self) -> list[str]:
        """Return the keys of all objects asked for, the oldest first: all of them before the first is sent."""
        entries = []
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._wanted.prefix):
            if "IsTruncated" not in page:
                raise OpsError(
                    f"bucket {self._bucket}: what came is no list of objects; expected S3's answer to ListObjectsV2. "
                    "Something between here and S3 may answer for it; try again"
                )
            entries += page.get("Contents", [])
        return [entry["Key"] for entry in sorted(entries, key=lambda entry: (entry["LastModified"], entry["Key"]))]

    def _keep(self, key: str, problem: str) -> None:
        self.report.kept += 1
        self.report.objects.append({"key": key, "problem": problem})
        complain(problem)

    def _one(self, key: str) -> None:
        wanted = self._wanted
        failure = read_failure(key, self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        if wanted.function and wanted.function not in failure.function_name.lower():
            return
        if not wanted.again and (sent_at := self._sent_at(key)):
            self.report.passed_over += 1
            self._tell(f"{key}: in the stream since {sent_at}; skipped (--again sends it once more)")
            return
        if failure.window is not None:
            raise ObjectError(
                f"{key}: holds a window's state and no records; rebuild that window from the archive "
                f"(docs/operations/README.md): {failure.window}. The object stays where it is"
            )
        summary = f"{len(failure.records)} records of {failure.function_name}. {failure.reason()}"
        self._tell(f"{key}: {printable(summary, _LONGEST)}")
        for _, data in failure.records[: wanted.show]:
            self._tell(f"    {printable(data.decode(errors='replace'), _LONGEST_MESSAGE)}")
        if wanted.confirm:
            self._send(key, failure)
        self.report.records += len(failure.records)
        self.report.objects.append(
            {
                "key": key,
                "function": failure.function_name,
                "reason": failure.reason(),
                "records": len(failure.records),
                "left_out": failure.left_out,
                "sent": wanted.confirm,
                "deleted": wanted.confirm and wanted.delete and not failure.left_out,
            }
        )
        if failure.left_out:
            shown = "; ".join(failure.left_out[:5]) + ("; ..." if len(failure.left_out) > 5 else "")  # noqa: PLR2004
            self.report.kept += 1
            complain(
                f"{key}: {len(failure.left_out)} lines cannot go back ({shown}); the raw archive has them. It stays "
                "where it is"
            )

    def _send(self, key: str, failure: Failure) -> None:
        try:
            put_back(self._kinesis, self.report.stream, failure.records, self._pause)
        except HTTPClientError:
            self._began = True  # the call may have been carried out, and its answer lost
            raise
        self._began = True
        if self._wanted.delete and not failure.left_out:
            self._s3.delete_object(Bucket=self._bucket, Key=key)
            return
        mark = {"TagSet": [{"Key": MARK, "Value": rfc3339(datetime.now(UTC))}]}
        self._s3.put_object_tagging(Bucket=self._bucket, Key=key, Tagging=mark)

    def _sent_at(self, key: str) -> str | None:
        answer = self._s3.get_object_tagging(Bucket=self._bucket, Key=key)
        if "TagSet" not in answer:
            raise OpsError("what came are no tags; expected S3's answer to GetObjectTagging. Try again")
        tags = answer["TagSet"]
        return next((tag["Value"] for tag in tags if tag["Key"] == MARK), None)
