"""Entry point of the API: one request of an HTTP API (payload format 2.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api import wiring
from common.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the decorator reads it
    """Answer a request."""
    # API Gateway's id of the request, which its answer has as `apigw-requestid`.
    logger.set_correlation_id((event.get("requestContext") or {}).get("requestId"))
    return wiring.service().answer(event, logger.warning)
