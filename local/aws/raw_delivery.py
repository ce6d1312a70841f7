"""Reads a Kinesis stream into a bucket, as a Firehose delivery stream with that source does: moto's has none.

Records of all shards, each as it is, follow one another in gzip objects. A buffer is written when it is old or large
enough; its object is named by the arrival of its first record. Like Firehose it may write an object twice.
"""

from __future__ import annotations

import gzip
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.object_prefix import evaluated
from local.event_source_mapping.shard_reader import ShardReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

    from local.clock import Clock
    from local.stack import DeliverySettings

POLL_SECONDS = 1.0
"""Between two looks at the shards; Firehose reads each once a second."""

_PAGE = 10_000


class RawDelivery:
    """Delivers until it is stopped, and then what there is still.

    Parameters
    ----------
    interval
        Seconds a buffer grows old; None is the settings'.
    poll
        Seconds between two looks at the shards.
    twice
        Asked for each object whether it is written twice.
    """

    def __init__(  # noqa: PLR0913 -- what it reads, where it writes, and how fast
        self,
        settings: DeliverySettings,
        kinesis: KinesisClient,
        s3: S3Client,
        clock: Clock,
        *,
        interval: float | None = None,
        poll: float = POLL_SECONDS,
        twice: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings = settings
        self._kinesis = kinesis
        self._s3 = s3
        self._clock = clock
        self._interval = settings.interval if interval is None else interval
        self._poll = poll
        self._twice = twice
        self._readers: dict[str, ShardReader | None] = {}
        self._buffer: list[bytes] = []
        self._bytes = 0
        self._first_arrival = 0.0
        self._since = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="raw delivery", daemon=True)

    def start(self) -> None:
        """Begin to read, from the stream's first record."""
        self._thread.start()

    def stop(self, *, deliver: bool = True) -> None:
        """Read no more; with `deliver`, only when everything in the stream has been written.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            The local AWS does not answer.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if deliver:
            while self._read():
                pass
            self._flush()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                while self._read() and not self._stopping.is_set():
                    pass
                if self._buffer and self._clock.now() - self._since >= self._interval:
                    self._flush()
            except (BotoCoreError, ClientError):
                pass  # read again at the next look: nothing was taken that is not in the buffer
            self._clock.wait(self._stopping, self._poll)

    def _read(self) -> int:
        """Read each shard once; return how many records there were."""
        found = 0
        for shard in self._kinesis.list_shards(StreamARN=self._settings.stream_arn)["Shards"]:
            name = shard["ShardId"]
            if name not in self._readers:
                self._readers[name] = ShardReader(self._kinesis, self._settings.stream_arn, name, "TRIM_HORIZON")
            reader = self._readers[name]
            if reader is None:
                continue
            read = reader.read(_PAGE)
            if read.records and not self._buffer:
                self._first_arrival, self._since = read.records[0].arrival, self._clock.now()
            self._buffer += [record.data for record in read.records]
            self._bytes += sum(len(record.data) for record in read.records)
            found += len(read.records)
            if read.ended:
                self._readers[name] = None
            if self._bytes >= self._settings.megabytes * 1024 * 1024:
                self._flush()
        return found

    def _flush(self) -> None:
        if not self._buffer:
            return
        arrived = datetime.fromtimestamp(self._first_arrival, UTC)
        prefix = evaluated(self._settings.prefix, arrived)
        body = gzip.compress(b"".join(self._buffer), 1)
        for _ in range(2 if self._twice() else 1):
            name = f"{self._settings.name}-1-{arrived:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}{self._settings.extension}"
            self._s3.put_object(Bucket=self._settings.bucket, Key=prefix + name, Body=body)
        self._buffer, self._bytes = [], 0
