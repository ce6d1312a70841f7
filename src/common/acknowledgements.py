"""Refuses answers of status 200 that did not come from AWS: a proxy's page or an empty body acknowledges nothing.

botocore takes most of them for a success without content, and fails at others with errors of its parsers. What AWS says
to each operation of the functions is known, though: where it is missing, nobody knows whether the call was carried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from common.printable import said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.session import Session

SAID: Final[Mapping[str, str]] = {
    "GetItem": "ConsumedCapacity",
    "GetObject": "ETag",
    "HeadObject": "ETag",
    "ListObjectsV2": "IsTruncated",
    "Publish": "MessageId",
    "PutItem": "ConsumedCapacity",
    "PutObject": "ETag",
    "PutRecordBatch": "RequestResponses",
    "UpdateItem": "ConsumedCapacity",
}
"""What AWS's answer to an operation always has. DynamoDB has to be asked for it: `ReturnConsumedCapacity="TOTAL"`."""

_UNREADABLE = (ResponseParserError, AttributeError, LookupError, TypeError, ValueError)
"""What botocore's parsers raise at an answer that is not of the form they know."""


class UnacknowledgedError(BotoCoreError):
    """What came with status 200 did not come from AWS."""

    fmt = (
        "the answer to {operation} {wrong}: it did not come from AWS, and the call may not have been carried out. "
        "Check what is in between: a proxy, or an endpoint set in the environment"
    )


def expect(session: Session) -> None:
    """Have all clients of the session raise UnacknowledgedError for an answer that did not come from AWS."""
    session.register("creating-client-class", _expect)


def _expect(**of: Any) -> None:
    of["base_classes"].insert(0, _Expecting)


class _Expecting:
    """A client's calls, all of which go through one method of botocore's."""

    def _make_api_call(self, operation_name: str, api_params: Mapping[str, Any]) -> Any:
        try:
            answer = super()._make_api_call(operation_name, api_params)  # type: ignore[misc]
        except _UNREADABLE as error:
            raise UnacknowledgedError(
                operation=operation_name, wrong=f"cannot be read ({said(repr(error))})"
            ) from error
        expected = SAID.get(operation_name)
        if expected is not None and expected not in answer:
            if "Body" in answer:
                answer["Body"].close()
            raise UnacknowledgedError(operation=operation_name, wrong=f"has no {expected}")
        return answer
