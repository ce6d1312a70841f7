"""The ListShards call: which shards the stream has now, for who sorts updates by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.observability import logger
from consumer.errors import PublishError
from consumer.publish.put_records import is_temporary
from consumer.publish.shard_map import ShardMap

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

    from consumer.publish.kinesis_client import KinesisApi


class ListShards:
    """Reads the shards of one stream."""

    def __init__(self, kinesis: KinesisApi | KinesisClient, stream_name: str) -> None:
        self._kinesis = kinesis
        self._stream_name = stream_name

    def __call__(self) -> ShardMap | None:
        """Return the open shards; None if they cannot be had just now.

        Raises
        ------
        PublishError
            Asking again would not help: the stream is not there, or its shards may not be listed.
        """
        try:
            page = self._kinesis.list_shards(StreamName=self._stream_name)
            shards = list(page["Shards"])
            while token := page.get("NextToken"):
                page = self._kinesis.list_shards(NextToken=token)
                shards += page["Shards"]
            return ShardMap(shards)
        except Exception as error:
            if is_temporary(error):
                logger.warning("the stream's shards cannot be listed just now", reason=str(error))
                return None
            raise PublishError(
                f"Kinesis stream {self._stream_name}: its shards could not be listed ({error}), by which envelopes are "
                "addressed. Check that the stream exists and that the consumer's role allows kinesis:ListShards on it"
            ) from error
