"""Lines that are not target updates, kept in S3 with the reason: nothing is silently discarded.

The server may repeat the API token in any of them. It is taken out here, where they are written and nowhere else, on
the thread of the write: looking for it in lines of megabytes takes time that reading would lack, and the deadline of
the write bounds it.
"""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from common.clock import rfc3339
from common.printable import said
from consumer.errors import CheckpointError
from consumer.stream.connection import MOST_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

    from common.clock import Clock
    from consumer.deadline import Deadline
    from consumer.stream.redaction import Redactor

PREFIX = "rejected/"

_HEAD_BYTES = 512
"""Of a line in memory and of its JSON, without the line itself; a reason has at most some 300 characters."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line, or of one too long to keep its beginning; the length of the whole in bytes; and why it was rejected."""

    line: bytes
    length: int
    reason: str
    received_at: datetime

    def as_json(self) -> bytes:
        """Return one line of JSON; a line that is not UTF-8, or twice as long in it, goes into `line_base64`."""
        head = {"reason": self.reason, "received_at": rfc3339(self.received_at), "bytes": self.length}
        try:
            as_text = msgspec.json.encode(head | {"line": self.line.decode()})
        except UnicodeDecodeError:
            as_text = None
        if as_text is not None and len(as_text) <= 2 * len(self.line) + _HEAD_BYTES:
            return as_text
        return msgspec.json.encode(head | {"line_base64": base64.b64encode(self.line).decode()})

    @property
    def held_bytes(self) -> int:
        """What it takes in memory, and at least half of what it takes in the object."""
        return len(self.line) + _HEAD_BYTES


class RejectedStore:
    """Writes rejected lines, one object per checkpoint that has some."""

    def __init__(  # noqa: PLR0913 - where to, when, and by whom
        self,
        s3: S3Client,
        bucket: str,
        owner: str,
        clock: Clock,
        *,
        redactor: Redactor,
        deadline: Deadline | None = None,
    ) -> None:
        """Name the objects after the run's `owner` (the request id); no write outlasts the `deadline`.

        The `redactor` knows the API token.
        """
        self._redactor = redactor
        self._deadline = deadline
        self._s3 = s3
        self._bucket = bucket
        self._owner = owner
        self._clock = clock
        self._numbers = itertools.count(1)  # `next` is atomic: reader and committer both write

    def write(self, lines: Iterable[RejectedLine]) -> None:
        """Write the lines into one new object.

        Raises
        ------
        CheckpointError
            They could not be written: the token after them must not be committed.
        """
        number = next(self._numbers)
        key = f"{PREFIX}{self._clock.now():%Y/%m/%d/%H%M%S}-{self._owner}-{number}.ndjson"

        def put() -> None:
            body = b"".join(self._redacted(line).as_json() + b"\n" for line in lines)
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/x-ndjson")["ETag"]

        try:
            if self._deadline is None:
                put()
            else:
                self._deadline.call("the write of rejected lines", put)
        except Exception as error:  # an answer without an ETag acknowledges nothing, and is one of them
            raise CheckpointError(
                f"s3://{self._bucket}/{key}: rejected lines could not be kept ({said(error)}); "
                "the position after them is not committed, so they will be read again. Check the bucket and the "
                "consumer's role"
            ) from error

    def _redacted(self, rejected: RejectedLine) -> RejectedLine:
        line, reason = self._redactor.line(rejected.line), rejected.reason
        if line is rejected.line:
            return rejected
        # what is wrong may quote the line
        return replace(rejected, line=line, reason=self._redactor.clean(reason, MOST_CHARACTERS))
