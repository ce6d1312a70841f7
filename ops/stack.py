"""The stack that a command works on: deployed, or a running local one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local import running
from ops.errors import AWS_ERRORS, OpsError, code

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

_GIVES_UP = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=10, read_timeout=30)


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack's name, what `Ref` gives for each logical id, and how a client of its AWS is made."""

    name: str
    resources: Mapping[str, str]
    client: Callable[[str], Any]
    is_local: bool = False

    def __getitem__(self, logical_id: str) -> str:
        """Return what `Ref` gives for a logical id.

        Raises
        ------
        OpsError
            The stack has no such resource.
        """
        try:
            return self.resources[logical_id]
        except KeyError:
            raise OpsError(
                f"stack {self.name}: has no {logical_id}; expected a stack of this project's template, of this version "
                "of it. Is it another stack's name? Otherwise deploy it again"
            ) from None


def find(options: argparse.Namespace) -> Stack:
    """Return the stack that the options `--stack` or `--local` name.

    Raises
    ------
    OpsError
        There is none, or more than one local stack runs.
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        AWS cannot be asked.
    """
    if options.stack is not None:
        return _deployed(options)
    return _local(options.local)


def _deployed(options: argparse.Namespace) -> Stack:
    session = boto3.Session(region_name=options.region, profile_name=options.profile)

    @cache
    def client(service: str) -> Any:
        return session.client(service, config=_GIVES_UP)  # type: ignore[call-overload] # a name known when it runs

    cloudformation = client("cloudformation")
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=options.stack)
        resources = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
            if "PhysicalResourceId" in one  # one that is being made has none yet
        }
    except ClientError as error:
        if code(error) == "ValidationError":
            raise OpsError(
                f"stack {options.stack}: not found in {cloudformation.meta.region_name}. Check the name; another "
                "region or account is chosen by --region and --profile"
            ) from error
        raise
    return Stack(options.stack, resources, client)


def _local(endpoint: str) -> Stack:
    candidates = [endpoint] if endpoint else running.endpoints()
    if len(candidates) > 1:
        raise OpsError(f"several local stacks run. Name one by its AWS: --local {' or --local '.join(candidates)}")
    if not candidates:
        raise OpsError("no local stack runs on this machine. Start one in another terminal: `pipenv run local`")
    try:
        found = running.read_note(candidates[0])
    except (*AWS_ERRORS, ValueError) as error:
        raise OpsError(
            f"{candidates[0]}: no local stack is there (yet): {error}. One that was just started takes seconds"
        ) from error
    return Stack(found.name, found.resources, cache(found.client), is_local=True)
