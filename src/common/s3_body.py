"""Reads the body of a GetObject answer up to a bound, and notices when it ends early, as botocore does without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import IncompleteReadError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def read(answer: Mapping[str, Any], most: int) -> bytes:
    """Return at most so many bytes.

    Raises
    ------
    botocore.exceptions.IncompleteReadError
        There are fewer than the answer has announced.
    """
    content: bytes = answer["Body"].read(most)
    expected = min(answer.get("ContentLength", 0), most)
    if len(content) < expected:
        raise IncompleteReadError(actual_bytes=len(content), expected_bytes=expected)
    return content
