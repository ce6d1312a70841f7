"""The two record formats: one record per update, or envelopes. Makes the parser and outbox of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consumer.backoff import Backoff
from consumer.stream.batch_parser import BatchParser

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.publish.outbox import Outbox
    from consumer.publish.shard_map import ShardMap


class RecordFormat(NamedTuple):
    """What a run reads updates with, and what decides how they go out."""

    parser: BatchParser
    outbox: Outbox


def single() -> RecordFormat:
    """Return what one run needs to publish each update as a record."""
    from consumer.publish.single_outbox import SingleOutbox  # noqa: PLC0415 - the other format need not load it

    return RecordFormat(BatchParser(), SingleOutbox(_retry_delay()))


def envelopes(read_shards: Callable[[], ShardMap | None]) -> RecordFormat:
    """Return what one run needs to publish envelopes; `read_shards` as `EnvelopeOutbox` takes it."""
    from consumer.publish import envelope_writer  # noqa: PLC0415 - likewise
    from consumer.publish.envelope_outbox import EnvelopeOutbox  # noqa: PLC0415

    return RecordFormat(
        BatchParser(envelope_writer.decode, envelope_writer.decode_leniently),
        EnvelopeOutbox(read_shards, _retry_delay()),
    )


def _retry_delay() -> Callable[[int], float]:
    return Backoff(base=0.05, cap=5.0).delay
