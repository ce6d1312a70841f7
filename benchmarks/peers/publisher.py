"""The usual publisher: the usual client's callback collects 500 records, and boto3 puts them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from benchmarks.harness.case import Measured
from benchmarks.harness.machine import cpu_time
from benchmarks.peers import client

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

MOST_RECORDS = 500
"""What a PutRecords call takes."""


class Publisher:
    """Puts updates into one Kinesis stream, 500 a call."""

    def __init__(self, stream_name: str) -> None:
        self.published = 0
        self._kinesis = boto3.client("kinesis")
        self._stream_name = stream_name
        self._records: list[PutRecordsRequestEntryTypeDef] = []

    def put(self, target: dict[str, Any]) -> None:
        """Take one update; send when there are enough."""
        self._records.append({"Data": json.dumps(target).encode(), "PartitionKey": target["icao_address"]})
        if len(self._records) == MOST_RECORDS:
            self.flush()

    def flush(self) -> None:
        """Send what there is; what failed is sent again."""
        records, self._records = self._records, []
        while records:
            answer = self._kinesis.put_records(StreamName=self._stream_name, Records=records)
            failed = [
                record
                for record, entry in zip(records, answer["Records"], strict=True)
                if answer["FailedRecordCount"] and "ErrorCode" in entry
            ]
            self.published += len(records) - len(failed)
            records = failed


def publish(params: dict[str, Any]) -> Measured:
    """Read the whole stream and publish it."""
    publisher = Publisher(params["run"])
    with cpu_time() as spent:
        client.follow(params["url"] + "/end", params["compression"], publisher.put)
        publisher.flush()
    return Measured(spent.seconds, publisher.published)
