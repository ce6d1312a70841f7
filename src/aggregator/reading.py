"""The updates of an event, decoded many at a time.

A call of the decoder for each record costs as much as a third of the decoding. So the records are joined, as lines, and
decoded by one call. Lines that this decoder does not take as they are, it decodes record by record instead: nothing is
read otherwise than `common.target_update.decode` would read it.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from common import kinesis_event
from common.target_update import TargetUpdate, UndecodableUpdateError, decode, decode_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

JOINED_RECORDS = 150
"""So many are joined: some 120 KB, so that the updates are still in the processor's cache when they are folded."""


class Undecodable(NamedTuple):
    """An update that could not be read, in its place among the others."""

    sequence_number: str
    reason: str


def read(event: Mapping[str, Any]) -> Iterator[list[TargetUpdate] | Undecodable]:
    """Iterate over the event's updates in their order, many at a time.

    Raises
    ------
    MalformedEventError, UnknownVersionError
        As of `common.kinesis_event.blocks`.
    """
    for records in kinesis_event.batches(event, JOINED_RECORDS):
        data = kinesis_event.single_updates(records)
        decoded = None if data is None else _decoded(data)
        if decoded is not None:
            yield decoded
        else:
            for sequence_number, lines, updates in kinesis_event.blocks(records):
                yield from _read(sequence_number, lines, updates)


def _decoded(data: Sequence[bytes]) -> list[TargetUpdate] | None:
    """Return the updates of records of one each, or None if one of them has to be read by itself."""
    lines = b"".join(data)
    # As many lines as records, and each record the end of one: then none holds more or less than it should.
    if lines.count(b"\n") != len(data) or not all(map(bytes.endswith, data, repeat(b"\n"))):
        return None
    decoded = decode_lines(lines)
    return decoded if decoded is not None and len(decoded) == len(data) else None


def _read(sequence_number: str, lines: bytes, updates: int) -> Iterator[list[TargetUpdate] | Undecodable]:
    """Read one record, at once if it can be."""
    if updates > 1:
        decoded = decode_lines(lines)
        if decoded is not None and len(decoded) == updates:
            yield decoded
            return
    for line in (lines,) if updates == 1 else lines.split(b"\n")[:-1]:
        try:
            yield [decode(line)]
        except UndecodableUpdateError as error:
            yield Undecodable(sequence_number, str(error))
