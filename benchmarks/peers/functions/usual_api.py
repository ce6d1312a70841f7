"""The usual function behind an HTTP API: Powertools' resolver, with a route that answers nothing in particular."""

from typing import Any

import boto3  # noqa: F401 - as is usual
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
app = APIGatewayHttpResolver()


@app.get("/api/point/<latitude>/<longitude>/<radius>")
def near(latitude: str, longitude: str, radius: str) -> dict[str, Any]:  # noqa: ARG001 - the path's
    """Answer."""
    return {"targets": []}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Find the route, and answer."""
    return app.resolve(event, context)
