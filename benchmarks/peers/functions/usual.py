"""The usual function: whatever may be of use is imported at the top, and the handler does next to nothing."""

import os
from typing import Any

import boto3
import requests  # noqa: F401 - as is usual
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
# Many make their clients here too: CLIENTS says which. Without it there are none.
clients = {
    name: boto3.client(name)  # type: ignore[call-overload]  # a name that is not known before it runs
    for name in os.environ.get("CLIENTS", "").split()
}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer."""
    return {"statusCode": 200, "body": str(len(event))}
