"""Reads S3's HTTP status and code from botocore's errors, without importing botocore."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

CONFLICTS: Final = frozenset({HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT})
"""A conditional write was refused, since another was faster: look what is there, and try again."""


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of an answer; None if there was none."""
    response: dict[str, Any] | None = getattr(error, "response", None)
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode") if response else None


def is_absent(error: Exception) -> bool:
    """Return whether S3 says that GetObject's object is not there; it says 403 to a role that may not list the bucket.

    A bucket that is not there and a proxy's page have the same status, 404, and say nothing about the object. An answer
    to HeadObject has no body to say it in: there the status is all.
    """
    response: dict[str, Any] | None = getattr(error, "response", None)
    return response is not None and response.get("Error", {}).get("Code") == "NoSuchKey"
