"""The HTTP status of an error of botocore's."""

from __future__ import annotations

from botocore.exceptions import ClientError, EndpointConnectionError

from common.s3_errors import ABSENT, CONFLICTS, status_of


def test_the_status_is_that_of_the_answer():
    """Whatever the error's code is called: S3 has several for one status."""
    answer = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
    assert status_of(ClientError(answer, "PutObject")) in CONFLICTS  # type: ignore[arg-type]
    answer = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
    assert status_of(ClientError(answer, "GetObject")) in ABSENT  # type: ignore[arg-type]


def test_without_an_answer_there_is_no_status():
    """Nor in an answer that lacks it."""
    assert status_of(EndpointConnectionError(endpoint_url="https://s3")) is None
    assert status_of(ClientError({"Error": {}}, "GetObject")) is None  # type: ignore[typeddict-item]
