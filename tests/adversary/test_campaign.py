"""Which results of a campaign are played once more before they count."""

from __future__ import annotations

import pytest

from tests.adversary.campaign import Result
from tests.adversary.judge import Broken


@pytest.mark.parametrize(
    ("promises", "in_doubt"),
    [
        ([], False),
        (["deadline"], True),
        (["a run uses its time"], True),
        (["deadline", "a run uses its time"], True),
        (["settles", "no loss"], True),
        (["no loss"], False),
        (["deadline", "no loss"], False),
    ],
)
def test_what_a_busy_machine_may_have_caused_is_in_doubt(promises, in_doubt):
    """A slow machine makes a run late; it loses nothing, unless the last run had no time to settle."""
    broken = tuple(Broken(promise, "seen") for promise in promises)
    assert Result("kind", 1, "a promise", broken, 1.0, (), "").in_doubt is in_doubt
