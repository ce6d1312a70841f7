"""What one environment has shown and could not close, another one keeps before it replaces that."""

from __future__ import annotations

import pytest

from aggregator import wiring
from live import identities, objects
from tests.integration.aggregator.conftest import CLOSED, OPEN, everything, update


def test_what_was_shown_stays_though_another_environment_goes_on(invoke, refuse, read, s3, monkeypatch):
    """It leaves the closed copy that the first could not; the first has more, and brings that when it can."""
    first = wiring.aggregator()
    state = invoke([update(1)])
    refuse("Z", "Z-identity", "/open")
    invoke([update(2, "ABC123")], state, first=2, final=True)
    wiring.aggregator.cache_clear()
    state = invoke([update(30, "DEF456")], first=3, minute=25)
    assert (read(CLOSED)[0].closed, read(CLOSED)[1].keys()) == (True, {"78121E"})
    named = identities.read(s3.get_object(Bucket="data", Key=CLOSED + objects.IDENTITY)["Body"].read())
    assert (named[0].closed, "78121E" in named[1]) == (True, True)
    assert read(OPEN)[1].keys() == {"DEF456"}

    refuse()
    monkeypatch.setattr(wiring, "aggregator", lambda: first)
    invoke([update(31, "DEF456")], state, first=4, minute=25)
    assert everything(s3, read) == {"78121E", "ABC123", "DEF456"}
    assert read(CLOSED)[1].keys() == {"78121E", "ABC123"}


def test_an_early_part_that_was_shown_stays_though_another_environment_goes_on(invoke, refuse, read):
    """The next part of the same window replaces it, and leads to it."""
    state = invoke([update(1)])
    refuse(".0")
    invoke([update(2)], state, first=2, early=True)
    wiring.aggregator.cache_clear()
    invoke([update(20, "ABC123")], first=3, final=True)
    assert (read(OPEN)[0].part, read(OPEN)[1].keys()) == (1, {"ABC123"})
    assert read(CLOSED + ".0")[1].keys() == {"78121E"}


@pytest.mark.parametrize("key", [OPEN, OPEN + objects.IDENTITY])
def test_a_damaged_snapshot_keeps_no_environment_from_going_on(invoke, read, s3, key):
    """What nobody can read is not kept."""
    state = invoke([update(1)])
    wiring.aggregator.cache_clear()
    there = s3.head_object(Bucket="data", Key=key)["Metadata"]
    s3.put_object(Bucket="data", Key=key, Body=b"LIVE, and no more", Metadata=there)
    invoke([update(30, "DEF456")], first=3, minute=25)
    assert read(OPEN)[1].keys() == {"DEF456"}
    assert state
