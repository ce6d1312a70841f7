"""An event says what to do in names that the function knows, or it is refused with these names."""

from __future__ import annotations

import pytest

from common.given_event import EventError, checked, flag
from local.runtime.schedule import scheduled_event


@pytest.mark.parametrize("event", [{}, {"hours": []}, {"hours": [], "after": ""}, scheduled_event("rule", 0.0)])
def test_names_that_are_known(event):
    """By hand, or by EventBridge's schedule."""
    assert checked(event, ("hours", "after")) == event


@pytest.mark.parametrize("event", [[], None, "2024-03-04", 3, {"hour": []}, {"time": "2024-03-04T23"}])
def test_what_is_no_object_or_has_another_name(event):
    """The error says which, and what would be right: it is no schedule's event, which would do something else."""
    shown = "hour|time" if isinstance(event, dict) else "got"
    with pytest.raises(EventError, match=f"({shown}).*expected an object with hours, after"):
        checked(event, ("hours", "after"))


def test_a_long_event_is_not_repeated_whole():
    """Nor is a long name."""
    for event in ("x" * 10_000, {"x" * 10_000: 1}):
        with pytest.raises(EventError) as caught:
            checked(event, ("hours",))
        assert len(str(caught.value)) < 500


def test_a_flag_is_true_or_false():
    """And false where it is not there."""
    assert flag({"in_parts": True}, "in_parts")
    assert not flag({"in_parts": False}, "in_parts")
    assert not flag({}, "in_parts")
    for given in ("maybe", None, 1, "true"):
        with pytest.raises(EventError, match=r"in_parts: got .* expected true or false"):
            flag({"in_parts": given}, "in_parts")
