"""Which shard Kinesis chooses for a partition key: the one whose range holds the key's MD5 digest as a number."""

from __future__ import annotations

from bisect import bisect_right
from hashlib import md5
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MANY_KEYS = 100_000
"""Keys whose shard is remembered; some 12,000 aircraft are in the air at once."""

_DIGEST_BYTES = 16


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

    A subscript that hits costs no call. Digests are compared as bytes, which sort as the numbers they stand for.
    """

    def __init__(self, lowest: list[bytes]) -> None:
        super().__init__()
        self._lowest = lowest

    def __missing__(self, key: str) -> int:
        digest = md5(key.encode(), usedforsecurity=False).digest()
        place = self[key] = max(0, bisect_right(self._lowest, digest) - 1)
        return place
