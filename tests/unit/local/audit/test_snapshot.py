"""The judge's own reader of snapshots says what the functions' reader says, of whatever their writer wrote."""

from __future__ import annotations

import pytest
from hypothesis import given

from live import reader
from live.order import NO_INGESTION
from live.writer import write
from local.audit import snapshot
from tests.support.live_aircraft import HEADER, columns, fleets


@given(fleets)
def test_both_readers_are_of_one_opinion(fleet):
    """Of every aircraft, every field."""
    data = write(columns(fleet), HEADER)
    header, targets = reader.read(data)

    found = snapshot.read(data)

    assert found.order == tuple(header.order)
    assert [tuple(state) for state in found.states] == [
        (
            target.icao_address,
            target.freshness.measured,
            target.freshness.timestamp,
            None if target.freshness.ingestion == NO_INGESTION else target.freshness.ingestion,
            *target[2:],
        )
        for target in targets
    ]


def test_a_damaged_snapshot_is_refused():
    """A byte that is another one makes no other aircraft."""
    data = bytearray(write(columns({}), HEADER))
    data[-1] ^= 1
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        snapshot.read(bytes(data))
