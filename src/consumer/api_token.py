"""The API token, read from Secrets Manager at the start of every run, so that a rotated one is used at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from consumer.errors import ApiTokenError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_NEVER_IN_A_TOKEN = frozenset(' "{}')
"""RFC 6750 allows none of them in a bearer token; who stored JSON gets to hear of it here rather than as a 401."""

_LONGEST = 4096
"""It goes into the head of a request, of which servers take some 8 KiB."""


def read_api_token(secrets: SecretsManagerClient, secret_arn: str) -> str:
    """Return the token that the secret holds as plain text.

    Raises
    ------
    ApiTokenError
        The secret is not there, is empty, holds no usable text, or may not be read.
    """
    how = "set it with: pipenv run set-token <stack> (the stack's output SetTokenCommand)"
    try:
        token = str(secrets.get_secret_value(SecretId=secret_arn).get("SecretString") or "").strip()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise ApiTokenError(f"secret {secret_arn}: is missing or has no value yet; {how}") from error
        raise ApiTokenError(f"secret {secret_arn}: could not be read ({error}); check the consumer's role") from error
    except Exception as error:  # of an odd answer botocore's parsers raise whatever they stumble over
        raise ApiTokenError(f"secret {secret_arn}: could not be read ({error})") from error
    if not token:
        raise ApiTokenError(f"secret {secret_arn}: is empty; {how}")
    if not (token.isascii() and token.isprintable()) or set(token) & _NEVER_IN_A_TOKEN:
        raise ApiTokenError(
            f"secret {secret_arn}: holds spaces, line ends, JSON or characters that no HTTP header takes; expected the "
            f"bare token as plain text; {how}"
        )
    if len(token) > _LONGEST:
        raise ApiTokenError(
            f"secret {secret_arn}: holds {len(token)} characters; expected a token of at most {_LONGEST}"
        )
    return token
