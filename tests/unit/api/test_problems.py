"""Problems: what was got is quoted, but not at any length."""

from __future__ import annotations

import msgspec

from api import problems


def test_a_wrong_parameter_is_named_with_what_it_got_and_takes():
    """For people in a sentence, for programs in fields (RFC 9457)."""
    problem = problems.wrong_parameter("limit", "0", "a whole number from 1 to 1000").problem
    assert msgspec.to_builtins(problem) == {
        "type": "/api/openapi.json#problem-parameter",
        "title": "Bad Request",
        "status": 400,
        "detail": "limit: got '0'; expected a whole number from 1 to 1000",
        "parameter": "limit",
        "got": "0",
        "takes": "a whole number from 1 to 1000",
    }


def test_a_long_value_is_cut():
    """An answer is not larger than its question."""
    problem = problems.wrong_parameter("bbox", "9" * 5_000, "four numbers").problem
    assert problem.got == "9" * 80 + "..."
    assert len(problem.detail) < 200


def test_what_may_be_tried_again_says_when():
    """As HTTP has it: Retry-After."""
    assert problems.unavailable("x").headers == {"Retry-After": "5"}
    assert problems.not_found("x").headers == {}
