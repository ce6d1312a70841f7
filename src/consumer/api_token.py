"""The API token, read from Secrets Manager at the start of every run, so that a rotated one is used at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from consumer.errors import ApiTokenError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_NEVER_IN_A_TOKEN = frozenset(' "{}')
"""RFC 6750 allows none of them in a bearer token; who stored JSON gets to hear of it here rather than as a 401."""


def read_api_token(secrets: SecretsManagerClient, secret_arn: str) -> str:
    """Return the token that the secret holds as plain text.

    Raises
    ------
    ApiTokenError
        The secret is not there, is empty, holds no usable text, or may not be read.
    """
    how = "set it with: pipenv run set-token <stack> (the stack's output SetTokenCommand)"
    try:
        token = secrets.get_secret_value(SecretId=secret_arn).get("SecretString", "").strip()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise ApiTokenError(f"secret {secret_arn}: is missing or has no value yet; {how}") from error
        raise ApiTokenError(f"secret {secret_arn}: could not be read ({error}); check the consumer's role") from error
    except BotoCoreError as error:
        raise ApiTokenError(f"secret {secret_arn}: could not be read ({error})") from error
    if not token:
        raise ApiTokenError(f"secret {secret_arn}: is empty; {how}")
    if not (token.isascii() and token.isprintable()) or set(token) & _NEVER_IN_A_TOKEN:
        raise ApiTokenError(
            f"secret {secret_arn}: holds spaces, line ends, JSON or characters that no HTTP header takes; expected the "
            f"bare token as plain text; {how}"
        )
    return token
