"""Entry point of the API: one request of an HTTP API (payload format 2.0)."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from api import wiring
from api.settings import Settings
from common.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from api.service import Service


@cache
def service() -> Service:
    """Return the process's service, made at the first request, so that a wrong environment fails it with a text."""
    return wiring.make(Settings.from_environment(os.environ))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - the decorator reads it
    """Answer a request."""
    return service().answer(event, logger.warning)
