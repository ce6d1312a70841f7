"""What an error of botocore's says: the HTTP status, and whether an object is not there."""

from __future__ import annotations

from botocore.exceptions import ClientError, EndpointConnectionError

from common.s3_errors import CONFLICTS, is_absent, status_of


def test_the_status_is_that_of_the_answer():
    """Whatever the error's code is called: S3 has several for one status."""
    answer = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
    assert status_of(ClientError(answer, "PutObject")) in CONFLICTS  # type: ignore[arg-type]


def test_an_object_is_absent_where_s3_says_so():
    """Not where a bucket is, or where a proxy answers in S3's place: the status is the same."""

    def error(code):
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 404}}
        return ClientError(answer, "GetObject")  # type: ignore[arg-type]

    assert is_absent(error("NoSuchKey"))
    assert not is_absent(error("NoSuchBucket"))
    assert not is_absent(error("404"))
    assert not is_absent(EndpointConnectionError(endpoint_url="https://s3"))


def test_without_an_answer_there_is_no_status():
    """Nor in an answer that lacks it."""
    assert status_of(EndpointConnectionError(endpoint_url="https://s3")) is None
    assert status_of(ClientError({"Error": {}}, "GetObject")) is None  # type: ignore[typeddict-item]
