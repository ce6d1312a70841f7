"""The ListShards call: which shards the stream has now, for whoever sorts updates by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumer.errors import PublishError
from consumer.publish.put_records import is_temporary
from consumer.publish.shard_map import ShardMap
from consumer.rare_warning import RareWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_kinesis import KinesisClient

    from consumer.publish.kinesis_client import KinesisApi


_MANY_PAGES = 200
"""Of up to 1,000 shards each, more than any account has: an answer that always has a next page is none."""

_NO_SHARDS = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""Errors of reading an answer that is not one of Kinesis."""

_failures = RareWarning()


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
            return ShardMap(self._pages())
        except Exception as error:
            if is_temporary(error) or isinstance(error, _NO_SHARDS):
                _failures.warning("the stream's shards cannot be listed just now", reason=str(error))
                return None
            raise PublishError(
                f"Kinesis stream {self._stream_name}: its shards could not be listed ({error}), by which envelopes are "
                "addressed. Check that the stream exists and that the consumer's role allows kinesis:ListShards on it"
            ) from error

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, str] = {"StreamName": self._stream_name}
        for _ in range(_MANY_PAGES):
            page: Mapping[str, Any] = self._kinesis.list_shards(**asked)  # type: ignore[arg-type]  # boto3's stub
            yield from page["Shards"]
            if not (token := page.get("NextToken")):
                return
            asked = {"NextToken": token}
        raise ValueError(f"ListShards does not end after {_MANY_PAGES} pages")
