"""Telling results from failures in what the emulator answers."""

from __future__ import annotations

import json

import pytest

from local.runtime import outcome


@pytest.mark.parametrize("value", [None, {}, [], "text", 3, {"state": {}}, {"errorMessage": "mine", "more": 1}])
def test_what_a_function_returns_is_its_payload(value):
    """Any JSON is a result, also an object that only looks a little like an error."""
    assert outcome.read(200, json.dumps(value).encode()) == (value, None)


def test_an_exception_is_distinguished_from_a_result_by_its_keys():
    """The runtime answers an exception with status 200, too."""
    error = {"errorMessage": "bad", "errorType": "ValueError", "requestId": "1", "stackTrace": []}
    assert outcome.read(200, json.dumps(error).encode()) == (error, "Unhandled")


def test_a_timeout_is_plain_text():
    """The emulator's words become an error object, as Lambda answers it."""
    payload, error = outcome.read(200, b"Task timed out after 3.00 seconds")
    assert (payload["errorType"], error) == ("Sandbox.Timedout", "Unhandled")


def test_a_function_may_return_the_words_of_a_timeout():
    """As JSON they are in quotes: a result like any other."""
    assert outcome.read(200, b'"Task timed out after 3.00 seconds"')[1] is None


def test_a_process_that_ended_is_an_error_of_its_own_type():
    """Status 502 with the emulator's reason."""
    body = b'{"errorType":"Runtime.ExitError","errorMessage":"Runtime exited"}'
    assert outcome.read(502, body) == (
        {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited"},
        "Unhandled",
    )


def test_a_runtime_that_never_came_up_is_an_error_too():
    """Status 502 without a word."""
    payload, error = outcome.read(502, b"")
    assert (payload["errorType"], error) == ("Runtime.InitError", "Unhandled")


def test_an_answer_that_is_no_json_is_an_error():
    """It must not pass for a result."""
    assert outcome.read(200, b"{cut")[1] == "Unhandled"
