"""What S3 answered, of errors that botocore makes of answers."""

from __future__ import annotations

from typing import Any


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of an answer; None if there was none."""
    response: dict[str, Any] | None = getattr(error, "response", None)
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode") if response else None
