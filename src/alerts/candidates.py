"""The updates of a record that call for alerts, whether it is one update or an envelope of many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from common.kinesis_event import update_payloads
from common.target_update import TargetUpdate, UndecodableUpdateError, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alerts.turn import Turn
    from common.kinesis_event import KinesisRecord

_LONGEST_REASON: Final = 200
"""Characters of an error that a log line quotes."""


class Candidate(NamedTuple):
    """An update that calls for alerts: the line of its record that it stands on, decoded and as received."""

    line: int
    update: TargetUpdate
    data: bytes
    arrival: float


def candidates(record: KinesisRecord, wanted: Callable[[bytes], bool], turn: Turn) -> Iterator[Candidate]:
    """Yield the updates that call for alerts; what is not an update is counted, and logged in one line at most.

    `wanted` says whether a configured pattern matches an update of an envelope.

    Raises
    ------
    common.environment.ConfigurationError
        It is not known which updates of an envelope are wanted.
    """
    undecodable, reason, ignored = 0, "", Counter[str]()
    for line, data in enumerate(update_payloads(record)):
        # A record's own bytes are one update, or an envelope too damaged to be opened.
        from_envelope = data is not record.data
        try:
            if not from_envelope or wanted(data):
                yield Candidate(line, decode(data, ignored), data, record.arrival)
        except UndecodableUpdateError as error:
            undecodable += 1
            reason = reason or str(error)[:_LONGEST_REASON]
    turn.result.fields_ignored += ignored.total()
    if undecodable:
        # The raw archive has it. Sending it again would not make it an update.
        turn.result.undecodable += undecodable
        turn.skipped.warning(
            "record holds no target update: skipped",
            extra={"sequence_number": record.sequence_number, "lines": undecodable, "first_reason": reason},
        )
