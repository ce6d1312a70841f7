"""What a run says of each day."""

from __future__ import annotations

from datetime import date

from flights.made import Made, as_json
from flights.parts import Plan


def test_each_day_says_what_became_of_it():
    """Made, left as it was, or to be made in parts: now, or once its hours are over."""
    plan = Plan("2024-03-03", "aa", [])
    assert as_json(
        [
            Made(date(2024, 3, 5), 7, 2),
            Made(date(2024, 3, 4)),
            Made(date(2024, 3, 3), plan=plan),
            Made(date(2024, 3, 2), plan=plan, is_due=False),
        ]
    ) == {
        "2024-03-05": {"updates": 7, "flights": 2},
        "2024-03-04": "unchanged",
        "2024-03-03": {"parts": 0},
        "2024-03-02": {"parts": 0, "waits_until": "2024-03-04T03:30Z"},
    }
