"""Stores the provider's API token in a stack's secret: `pipenv run set-token STACK`.

The token is asked for without being shown, or read from standard input if that is not a terminal. It is never an
argument, so that no shell's history and no list of processes holds it.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import warnings
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from common.api_token import MalformedTokenError, checked
from local.command import run_command
from ops.errors import explained

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT = "ApiTokenSecretInUse"
"""The stack's output that holds the secret's ARN, whether the stack made it or was given it."""

_NEEDS = "The caller needs cloudformation:DescribeStacks and secretsmanager:PutSecretValue"


class SetTokenError(Exception):
    """The token was not stored: the message says why and what to do, and never holds the token."""


def read_token(ask: Callable[[str], str]) -> str:
    """Return the token as typed or piped in, without the white space around it.

    Raises
    ------
    SetTokenError
        It is empty, or no token that an HTTP header could carry.
    """
    try:
        text = ask("API token (not shown): ") if sys.stdin.isatty() else sys.stdin.read()
    except UnicodeDecodeError:
        raise SetTokenError("what was read is not text; nothing was stored. Expected the bare token alone") from None
    except getpass.GetPassWarning:
        raise SetTokenError("this terminal cannot hide what is typed; nothing was stored. Pipe the token in") from None
    try:
        return checked(text)
    except MalformedTokenError as error:
        raise SetTokenError(f"the token {error}; nothing was stored. Paste it alone, then press Enter") from None


def find_secret(cloudformation: Any, stack: str) -> str:
    """Return the ARN of the secret that the stack's consumer reads.

    Raises
    ------
    SetTokenError
        There is no such stack here, or it is of a template without that output.
    """
    try:
        [description] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise SetTokenError(
                f"stack {stack}: not found in {cloudformation.meta.region_name}. Check the name; another region or "
                "account is chosen by --region and --profile"
            ) from error
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    if OUTPUT not in outputs:
        raise SetTokenError(
            f"stack {stack}: is {description['StackStatus']} and has no output {OUTPUT}; expected a stack of this "
            "template, deployed without an error. Deploy again, then set the token"
        )
    return str(outputs[OUTPUT])


def main(arguments: list[str] | None = None, ask: Callable[[str], str] = getpass.getpass) -> int:
    """Store the token as the command line says; return 1 if it could not be."""
    options = _parser().parse_args(arguments)
    warnings.simplefilter("error", getpass.GetPassWarning)  # it would go on and show what is typed
    try:
        session = boto3.Session(region_name=options.region, profile_name=options.profile)
        secret = find_secret(session.client("cloudformation"), options.stack)
        token = read_token(ask)
        session.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=token)
    except (SetTokenError, BotoCoreError, ClientError) as error:
        print(f"set-token: {explained(error, _NEEDS)}", file=sys.stderr)  # noqa: T201 - a command line talks
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nset-token: interrupted; nothing was stored", file=sys.stderr)  # noqa: T201 - the same
        return 130
    print(f"{secret} holds the token ({len(token)} characters). The next run reads it.")  # noqa: T201 - the same
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pipenv run set-token",
        description="Store the provider's API token in a stack's secret. It is asked for and not shown; a script pipes "
        "it in.",
    )
    parser.add_argument("stack", metavar="STACK", help="the stack's name, e.g. aircraft-stream-dev")
    parser.add_argument("--region", help="default: as the shell or the profile says")
    parser.add_argument("--profile", help="profile of ~/.aws/config (default: as the shell says)")
    return parser


if __name__ == "__main__":
    run_command("set-token", main)
