"""The updates of an event, decoded many at a time.

Calling the decoder for each record costs a third as much as the decoding itself. So the records are joined, as lines,
and decoded by one call, without the fields that are not folded. Lines that this decoder refuses are decoded record by
record instead, so the result is always that of `common.target_update.decode`.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from aggregator.events import batch, timestamps
from aggregator.events.batch import MILLISECOND, Batch
from common import kinesis_event
from common.normal_form import normalize
from common.target_update import TargetUpdate, UndecodableUpdateError, decode, decode_lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping, Sequence

JOINED_RECORDS = 150
"""Records joined at a time: some 120 KB, so that the updates are still in the processor's cache when they are read."""

FOLDED = (
    "ingestion_time",
    "latitude",
    "longitude",
    "altitude_baro",
    "heading",
    "speed",
    "vertical_rate",
    "squawk",
    "on_ground",
    "callsign",
    "tail_number",
    "collection_type",
    "flight_number",
    "aircraft_type_icao",
    "airline_iata",
    "airline_name",
    "departure_airport_icao",
    "arrival_airport_icao",
)
"""What is folded of an update beside its `icao_address` and `timestamp`, in the feed's order: so the decoder finds a
field at once."""

_TYPES = {field.name: field.type for field in msgspec.structs.fields(TargetUpdate)} | {"ingestion_time": str | None}
_Line = msgspec.defstruct(
    "_Line",
    [
        ("icao_address", _TYPES["icao_address"]),
        ("timestamp", str),
        *((name, _TYPES[name], None) for name in FOLDED),
    ],
    gc=False,
)
"""What is folded of a target update; instants as texts, which `timestamps` reads."""

_decode_lines: Callable[[bytes], list[Any]] = msgspec.json.Decoder(_Line).decode_lines


class Undecodable(NamedTuple):
    """A record with updates that could not be read, after those of it that could; `reason` is that of the first."""

    sequence_number: str
    reason: str
    updates: int = 1


class Misplaced(NamedTuple):
    """An envelope that names another shard than it is in: its writer sends the updates again (`common.envelope`)."""

    sequence_number: str


def read(event: Mapping[str, Any], ignored: Counter[str] | None = None) -> Iterator[Batch | Undecodable | Misplaced]:
    """Iterate over the event's updates in order, many at a time; `ignored` counts fields that were ignored.

    Raises
    ------
    MalformedEventError, UnknownVersionError
        See `common.kinesis_event.blocks`.
    """
    for records in kinesis_event.batches(event, JOINED_RECORDS):
        data = kinesis_event.single_updates(records)
        decoded = None if data is None else _decoded(data)
        if decoded is not None:
            yield decoded
        else:
            for sequence_number, lines, updates in kinesis_event.blocks(records):
                if updates:
                    yield from _read(sequence_number, lines, updates, ignored)
                else:
                    yield Misplaced(sequence_number)


def _decoded(data: Sequence[bytes]) -> Batch | None:
    """Return the updates of records of one each, or None if one of them has to be read by itself."""
    lines = b"".join(data)
    # Each record's first line end is its last byte: then none holds more or less than a line. To count the lines would
    # take 0.3 us an update, since `count` looks at every byte by itself.
    if sum(map(bytes.find, data, repeat(b"\n"))) != len(lines) - len(data):
        return None
    return _batch(lines, len(data))


def _batch(lines: bytes, updates: int) -> Batch | None:
    """Return the updates of several lines, or None if they are not so many, or one has to be read by itself."""
    try:
        decoded = _decode_lines(lines)
        measured = timestamps.whole_seconds([update.timestamp for update in decoded])
        ingested = timestamps.milliseconds([update.ingestion_time for update in decoded])
    except timestamps.OtherwiseWrittenError:
        whole = decode_lines(lines)
        return None if whole is None or len(whole) != updates else batch.of(whole)
    except (ValueError, RecursionError):
        return None
    if len(decoded) != updates or not normalize(decoded):
        return None
    return Batch(MILLISECOND, decoded, measured, ingested)


def _read(
    sequence_number: str, lines: bytes, updates: int, ignored: Counter[str] | None
) -> Iterator[Batch | Undecodable]:
    """Read one record, at once if it can be."""
    if updates > 1:
        decoded = _batch(lines, updates)
        if decoded is not None:
            yield decoded
            return
    undecodable, reason = 0, ""
    for line in (lines,) if updates == 1 else lines.split(b"\n")[:-1]:
        try:
            yield batch.of([decode(line, ignored)])
        except UndecodableUpdateError as error:
            undecodable, reason = undecodable + 1, reason or str(error)
    if undecodable:
        yield Undecodable(sequence_number, reason, undecodable)
