"""Authorises calls against the policies of the caller's role, and records which grants were ever needed.

The policies are those that CloudFormation made, read back from the local IAM; moto's evaluator decides. Its enforcement
in the server itself looks at actions alone; here the resource counts as well, and conditions on texts do.
"""

from __future__ import annotations

import ast
import fnmatch
import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from local.aws.moto import ACCOUNT
from local.faults.aws import key_use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mypy_boto3_iam import IAMClient

    from local.faults.aws.permissions import Permission

_EVALUATED = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": fnmatch.fnmatchcase,
}


class PolicyError(ValueError):
    """A policy says something that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource (or pattern) that a statement of a role's policy allows or denies.

    `conditions` are triples: operator, condition key, wanted value. A list of values makes a grant for each.
    """

    role: str
    statement: str
    effect: str
    action: str
    resource: str
    conditions: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    grant: Grant
    policy: IAMPolicy = field(compare=False)

    def decides(self, permission: Permission) -> PermissionResult:
        context = dict(permission.context)
        for operator, name, wanted in self.grant.conditions:
            if name not in context or not _OPERATORS[operator](context[name], wanted):
                return PermissionResult.NEUTRAL
        return self.policy.is_action_permitted(permission.action.lower(), permission.resource)


class Authoriser:
    """Decides for the callers whose roles it was given; safe for several threads.

    Parameters
    ----------
    iam
        Where the roles' policies are read, once.
    roles
        Role names (or ARNs) by caller.
    key
        ARN of the KMS key that all resources are encrypted under; empty if the callers are not asked about one.

    Raises
    ------
    PolicyError
        A policy has exceptions (`NotAction`, `NotResource`), principals or conditions on other things than texts: they
        are not evaluated here.
    """

    def __init__(self, iam: IAMClient, roles: Mapping[str, str], key: str = "") -> None:
        self._key = key
        self._roles = {caller: role.rpartition("/")[2] for caller, role in roles.items()}
        self._rules = {role: tuple(_rules(iam, role)) for role in self._roles.values()}
        self._lock = threading.Lock()
        self._used: set[Grant] = set()

    def knows(self, caller: str) -> bool:
        """Return whether a caller has a role."""
        return caller in self._roles

    def refusal(self, caller: str, permissions: Iterable[Permission]) -> str | None:
        """Return why a caller may not do all of this, as AWS would word it, or None if it may."""
        role = self._roles[caller]
        asked = [
            one
            for permission in permissions
            for one in (permission, *(key_use.asked_of(self._key, permission) if self._key else ()))
        ]
        for permission in asked:
            reason = self._refused_because(role, permission)
            if reason:
                return (
                    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{caller} is not authorized to perform: "
                    f"{permission.action} on resource: {permission.resource} {reason}"
                )
        return None

    def unused(self, caller: str) -> list[Grant]:
        """Return what a caller's role is granted and no call has needed so far."""
        with self._lock:
            return [rule.grant for rule in self._rules[self._roles[caller]] if rule.grant not in self._used]

    def _refused_because(self, role: str, permission: Permission) -> str:
        decisions = [(rule.grant, rule.decides(permission)) for rule in self._rules[role]]
        with self._lock:
            self._used.update(grant for grant, result in decisions if result is not PermissionResult.NEUTRAL)
        results = {result for _, result in decisions}
        if PermissionResult.DENIED in results:
            return "with an explicit deny in an identity-based policy"
        if PermissionResult.PERMITTED not in results:
            return f"because no identity-based policy allows the {permission.action} action"
        return ""


def _rules(iam: IAMClient, role: str) -> Iterator[_Rule]:
    for name, document in _policies(iam, role):
        for number, statement in enumerate(_listed(document["Statement"])):
            if statement is None:  # AWS::NoValue: CloudFormation leaves such a statement out, moto a null in its place
                continue
            label = f"{name}/{statement.get('Sid', number)}"
            odd = sorted((statement.keys() - _EVALUATED) | (statement.get("Condition", {}).keys() - _OPERATORS))
            if odd:
                raise PolicyError(f"role {role}, statement {label}: {', '.join(odd)} is not evaluated by the local AWS")
            for action, resource, conditions in itertools.product(
                _listed(statement["Action"]), _listed(statement["Resource"]), _conditions(statement)
            ):
                grant = Grant(role, label, statement["Effect"], action, resource, conditions)
                yield _Rule(grant, _policy(grant))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], ...]]:
    """Yield a statement's conditions, once for each choice of one value of each list."""
    return itertools.product(
        *(
            [(operator, name, value) for value in _listed(values)]
            for operator, asked in statement.get("Condition", {}).items()
            for name, values in asked.items()
        )
    )


def _policies(iam: IAMClient, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names and documents of a role's policies, its own and those attached to it."""
    for own in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield own, _document(iam.get_role_policy(RoleName=role, PolicyName=own)["PolicyDocument"])
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        yield attached["PolicyName"], _document(found["Document"])


def _document(document: Any) -> dict[str, Any]:
    """Return a policy; one that CloudFormation made moto gives as Python writes a dict, and botocore leaves it so."""
    return dict(ast.literal_eval(document) if isinstance(document, str) else document)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _policy(grant: Grant) -> IAMPolicy:
    """Return moto's evaluator for one grant: a separate policy, so that its use is not taken for that of others."""
    statement = {
        "Effect": grant.effect,
        "Action": _pattern(grant.action.lower()),  # IAM compares actions without regard to case
        "Resource": _pattern(grant.resource),
    }
    return IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _pattern(text: str) -> str:
    """Escape what moto, which takes a pattern for a regular expression, would misread; `*` it replaces itself."""
    return re.escape(text).replace(r"\*", "*").replace(r"\?", ".")
