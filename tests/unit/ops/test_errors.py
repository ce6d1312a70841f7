"""Errors of AWS as people read them: one place for all commands, so that they say the same."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from ops.errors import explained


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoRegionError(), "Give --region, or set AWS_REGION"),
        (NoCredentialsError(), "aws sso login"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "Check the network and --region"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "GetObject"), "Sign in again"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject"), "docs/ops.md lists"),
    ],
)
def test_an_error_says_what_to_do(error, said):
    """And what happened, before it."""
    assert said in explained(error)
    assert len(explained(error)) > len(said)


def test_a_page_of_html_is_not_shown():
    """A proxy's, or a local AWS's that does not know a call."""
    error = ClientError({"Error": {"Code": "404", "Message": "<!doctype html>\n<html lang=en>"}}, "GetAccountSettings")
    assert explained(error).endswith("the GetAccountSettings operation (not an answer of AWS)")


def test_whoever_aws_refuses_learns_what_the_command_needs():
    """Each command names its own permissions; of what no permission cures, none is named."""
    needs = "The caller needs s3:PutObject"
    for code, named in (("AccessDenied", True), ("403", True), ("NoSuchBucket", False)):
        error = ClientError({"Error": {"Code": code, "Message": "no"}}, "PutObject")
        assert explained(error, needs).endswith(needs) is named, code
