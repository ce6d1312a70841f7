"""Finds a running local stack for other commands: its moto server holds a note of the stack's resources.

Nothing is left behind by a run that was killed, since its AWS has ended with it.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local.aws.moto import LISTED, OPERATOR, REGION, credentials
from local.runtime.processes import command_line, listening_ports

if TYPE_CHECKING:
    from local.aws.moto import Cloud
    from local.stack import Stack

_BUCKET, _NOTE = "local-note", "stack.json"
_PROC = Path("/proc")
_SERVER, _MARK = b"local.aws.moto_server", LISTED.encode()


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A local stack: the address of its AWS, its name, and what `Ref` gives for each logical id."""

    endpoint: str
    name: str
    resources: dict[str, str]

    def client(self, service: str) -> Any:
        """Make a client of its AWS; nothing of the shell's settings is heeded."""
        return _client(self.endpoint, service)


def leave_note(cloud: Cloud, stack: Stack, name: str) -> None:
    """Write down in the stack's own AWS what it consists of."""
    content = json.dumps({"name": name, "resources": stack.resources})
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=_NOTE, Body=content.encode())


def endpoints() -> list[str]:
    """Return the addresses of the listed local AWS's of this user on this machine: those of `pipenv run local`."""
    found = []
    for entry in _PROC.iterdir():
        with contextlib.suppress(OSError):
            if (
                entry.name.isdecimal()
                and entry.stat().st_uid == os.getuid()
                and {_SERVER, _MARK} <= set(command_line(int(entry.name)))
            ):
                found += [f"http://127.0.0.1:{port}" for port in sorted(listening_ports(int(entry.name)))]
    return sorted(found)


def read_note(endpoint: str) -> RunningStack:
    """Return the stack whose AWS is there.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        Nothing answers there, or its stack is not created yet.
    """
    body = _client(endpoint, "s3").get_object(Bucket=_BUCKET, Key=_NOTE)["Body"].read()
    note = json.loads(body)
    return RunningStack(endpoint, note["name"], note["resources"])


@cache
def _session() -> boto3.Session:
    """Return the one session: it reads the description of a service once."""
    return boto3.Session(region_name=REGION)


def _client(endpoint: str, service: str) -> Any:
    own = credentials(OPERATOR)
    return _session().client(
        service,  # type: ignore[call-overload] # a name that is not known before it runs
        endpoint_url=endpoint,
        aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=own["AWS_SESSION_TOKEN"],
        config=Config(proxies={}, retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=20),
    )
