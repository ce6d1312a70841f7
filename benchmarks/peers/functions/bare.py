"""A function that does nothing: what the runtime costs by itself."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer."""
    return {"statusCode": 200, "body": str(len(event))}
