"""The open shards of a stream, and which of them Kinesis chooses for a partition key.

Kinesis chooses the shard whose range holds the key's MD5 digest as a number.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import md5
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from common.printable import said
from consumer.errors import PublishError
from consumer.publish.put_records import is_temporary
from consumer.rare_warning import RareWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_kinesis import KinesisClient

    from consumer.publish.kinesis_client import KinesisApi

_MANY_KEYS = 100_000
"""Keys whose shard is remembered; some 12,000 aircraft are in the air at once."""

_DIGEST_BYTES = 16

_MANY_PAGES = 200
"""Of up to 1,000 shards each, more than any account has: a list that always has a next page is not one."""

_NO_SHARDS = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""Errors of reading an answer that is not one of Kinesis."""


class Shard(NamedTuple):
    """An open shard; `hash_key` is the lowest of its range, in digits: an ExplicitHashKey that lies in it."""

    shard_id: str
    hash_key: str


class ShardMap:
    """The open shards of a stream at one moment; they cover all of the digests."""

    def __init__(self, described: Iterable[Mapping[str, Any]]) -> None:
        """Take shards as ListShards describes them; closed ones, which it lists too, are left out.

        Raises
        ------
        ValueError
            None is open.
        """
        ranges = sorted(
            (
                (int(shard["HashKeyRange"]["StartingHashKey"]), shard["ShardId"])
                for shard in described
                if shard["SequenceNumberRange"].get("EndingSequenceNumber") is None
            ),
            key=itemgetter(0),
        )
        if not ranges:
            raise ValueError("no open shard")
        self.shards = [Shard(shard_id, str(lowest)) for lowest, shard_id in ranges]
        self._known = _Known([lowest.to_bytes(_DIGEST_BYTES) for lowest, _ in ranges])

    def places_of(self, keys: Iterable[str]) -> list[int]:
        """Return for each key where among `shards` is the one that Kinesis puts a record of this partition key into."""
        if len(self._known) > _MANY_KEYS:
            self._known.clear()
        known = self._known
        return [known[key] for key in keys]


class _Known(dict[str, int]):
    """The place of each key that was asked for before, found out when it is first asked for.

    A subscript that hits costs no call. Digests are compared as bytes, which sort like the numbers they encode.
    """

    def __init__(self, lowest: list[bytes]) -> None:
        super().__init__()
        self._lowest = lowest

    def __missing__(self, key: str) -> int:
        digest = md5(key.encode(), usedforsecurity=False).digest()
        place = self[key] = max(0, bisect_right(self._lowest, digest) - 1)
        return place


class ListShards:
    """Reads the shards of one stream by the call of that name."""

    def __init__(self, kinesis: KinesisApi | KinesisClient, stream_name: str) -> None:
        self._kinesis = kinesis
        self._stream_name = stream_name
        self._failures = RareWarning()

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
                self._failures.warning("the stream's shards cannot be listed just now", reason=said(error))
                return None
            raise PublishError(
                f"Kinesis stream {self._stream_name}: its shards could not be listed ({said(error)}), by which "
                "envelopes are addressed. Check that the stream exists and that the consumer's role allows "
                "kinesis:ListShards on it"
            ) from error

    def close(self) -> None:
        """Say what was left out of the log."""
        self._failures.close()

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        asked: dict[str, str] = {"StreamName": self._stream_name}
        for _ in range(_MANY_PAGES):
            page: Mapping[str, Any] = self._kinesis.list_shards(**asked)  # type: ignore[arg-type]  # boto3's stub
            yield from page["Shards"]
            if not (token := page.get("NextToken")):
                return
            asked = {"NextToken": token}
        raise ValueError(f"ListShards does not end after {_MANY_PAGES} pages")
