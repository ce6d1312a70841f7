"""The result of a function's invocation, in the terms of Lambda's Invoke API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """One finished invocation.

    `payload` is the decoded JSON answer: the function's return value or, when `function_error` is set, an
    object with `errorMessage` and `errorType`. `function_error` is None or `Unhandled`, as in the header
    X-Amz-Function-Error. `seconds` is the wall time it took. `started` is False where the runtime itself did not start.
    """

    request_id: str
    payload: Any
    function_error: str | None
    seconds: float
    started: bool = True


class ThrottledError(Exception):
    """The function's reserved concurrency is in use: Lambda answers 429, and the caller tries again later."""
