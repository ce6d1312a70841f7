"""The API token, read from Secrets Manager at the start of every run, so that a rotated one is used at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from common.api_token import MalformedTokenError, checked
from common.printable import said
from consumer.errors import ApiTokenError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def read_api_token(secrets: SecretsManagerClient, secret_arn: str) -> str:
    """Return the token that the secret holds as plain text.

    Raises
    ------
    ApiTokenError
        The secret is not there, is empty, holds no usable text, or may not be read.
    """
    how = "set it with: pipenv run set-token <stack> (the stack's output SetTokenCommand)"
    try:
        text = str(secrets.get_secret_value(SecretId=secret_arn).get("SecretString") or "")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise ApiTokenError(f"secret {secret_arn}: is missing or has no value yet; {how}") from None
        raise ApiTokenError(
            f"secret {secret_arn}: could not be read ({said(error)}); check the consumer's role"
        ) from None
    except Exception as error:  # noqa: BLE001 -- of an odd answer botocore's parsers raise whatever they stumble over
        raise ApiTokenError(f"secret {secret_arn}: could not be read ({said(error)})") from None
    try:
        return checked(text)
    except MalformedTokenError as error:
        raise ApiTokenError(f"secret {secret_arn}: {error}; {how}") from None
