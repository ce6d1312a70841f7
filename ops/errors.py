"""Errors of the commands, written for people: what happened, to what, and what to do."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from botocore.exceptions import (
    ConnectionError as UnreachableError,
)

AWS_ERRORS = (BotoCoreError, ClientError)
"""All that a client of AWS raises."""

_REFUSED = {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_GONE = {"NoSuchBucket", "NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFoundException"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}


class OpsError(Exception):
    """A command cannot go on: the message says why and what to do."""


class DamagedError(OpsError):
    """An object does not hold what a function of the stack writes there: somebody has to look at it."""


_OPS_NEEDS = "The caller lacks this permission; docs/ops.md lists what each command needs"


def explained(error: Exception, needs: str = _OPS_NEEDS) -> str:
    """Return an error as a sentence that says what to do; `needs` is what a caller may lack whom AWS refuses."""
    match error:
        case NoRegionError():
            return "no region is set. Give --region, or set AWS_REGION"
        case NoCredentialsError():
            return "no AWS credentials were found. Give --profile, sign in (`aws sso login`), or set AWS_PROFILE"
        case ProfileNotFound():
            return f"{error}. Give --profile with a name from ~/.aws/config, or unset AWS_PROFILE"
        case UnreachableError():
            return f"{error}. Check the network and --region; a local stack has to be running"
        case ClientError():
            return _without_page(str(error)) + _answered(error, needs)
    return str(error)


def _without_page(text: str) -> str:
    """Return an error's text without the page of HTML that a server other than AWS answered with."""
    said, page, _ = text.partition("<!doctype")
    return f"{said.rstrip(': ')} (not an answer of AWS)" if page else text


def _answered(error: ClientError, needs: str) -> str:
    if code(error) in _REFUSED:
        return f". {needs}"
    return ". Sign in again (`aws sso login`)" if code(error) in _EXPIRED else ""


def is_gone(error: Exception) -> bool:
    """Return whether AWS says that what was asked about is not there. Without a body S3 says no more than 404."""
    if not isinstance(error, ClientError):
        return False
    return code(error) in _GONE or (code(error), error.operation_name) == ("404", "HeadBucket")


def code(error: ClientError) -> str:
    """Return AWS's code of an error, such as `AccessDenied`."""
    return error.response["Error"]["Code"]
