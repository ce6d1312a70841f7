"""Holds a stack against what is there, and puts back what differs; `ops.repair` is the command.

A deployment of the same template changes nothing: CloudFormation compares it with the template before, not with what is
there. A drift-aware change set compares with what is there (CloudFormation user guide, drift-aware change sets).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common.printable import printable
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from common.clock import Clock
    from ops.stack import Stack

_STEP_SECONDS = 5.0
_NOTHING = ("didn't contain changes", "No updates are to be performed")
"""How CloudFormation says that a change set is empty; with a transform in the template it says the second."""
_LONGEST = 60
"""Characters of a value that are shown."""
_SECRETIVE = "AlertWebhook"
"""Resources whose values are not shown: of some chats the address is the secret."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one resource: `properties` are `path: what is there -> what was deployed`.

    `is_replaced` if the resource that is there may give way to a new one, and what it holds with it.
    """

    logical_id: str
    type: str
    action: str
    properties: tuple[str, ...]
    is_replaced: bool

    def text(self) -> str:
        """Return it for people."""
        what = f"{self.logical_id} ({self.type}): {self.action}"
        return f"{what}{', and may be replaced' if self.is_replaced else ''}"


class Repair:
    """A drift-aware change set of one stack; `timeout` seconds are waited for each of its two steps."""

    def __init__(self, stack: Stack, clock: Clock, timeout: float) -> None:
        self._cloudformation = stack.client("cloudformation")
        self._stack = stack.name
        self._clock = clock
        self._timeout = timeout
        self.change_set = f"repair-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        self._is_made = False

    def propose(self) -> list[Change]:
        """Have CloudFormation look at every resource; return what it would change, nothing if nothing differs.

        Raises
        ------
        OpsError
            It cannot say, or not within the time.
        """
        parameters = [
            {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in self._described()["Parameters"]
        ]
        self._is_made = True  # also if no answer comes
        try:
            self._cloudformation.create_change_set(
                StackName=self._stack,
                ChangeSetName=self.change_set,
                ChangeSetType="UPDATE",
                UsePreviousTemplate=True,
                Parameters=parameters,
                Capabilities=["CAPABILITY_IAM"],
                DeploymentMode="REVERT_DRIFT",
                ClientToken=self.change_set,  # a request that botocore repeats is the same request
            )
        except ClientError as error:
            self._is_made = False
            if _is_empty(str(error)):
                return []
            raise
        found = self._looked_at()
        if found["Status"] == "CREATE_COMPLETE":
            # Without drift it lists what it resolves too late to compare: aws-cloudformation/
            # cloudformation-coverage-roadmap, issues 2505 and 2559.
            return [] if found.get("StackDriftStatus") == "IN_SYNC" else [*self._changes(found)]
        reason = found.get("StatusReason", "it does not say why")
        if _is_empty(reason):
            return []
        raise OpsError(f"stack {self._stack}: CloudFormation cannot compare it with what is there: {reason}")

    def discard(self) -> None:
        """Remove the change set, if there is one; nothing is changed."""
        if self._is_made:
            self._cloudformation.delete_change_set(StackName=self._stack, ChangeSetName=self.change_set)

    def start(self) -> None:
        """Have CloudFormation begin to make the changes."""
        self._cloudformation.execute_change_set(
            StackName=self._stack,
            ChangeSetName=self.change_set,
            ClientRequestToken=self.change_set,
            DisableRollback=False,  # the API reference says that it is True if left out
        )

    def wait(self) -> None:
        """Wait until the changes are made.

        Raises
        ------
        OpsError
            CloudFormation could not make them, or is not done within the time.
        """
        self._clock.sleep(_STEP_SECONDS)
        reason = "its events say why"
        for _ in self._steps("make the changes; it goes on"):
            stack = self._described()
            status = stack["StackStatus"]
            if status == "UPDATE_COMPLETE":
                return
            if status != "UPDATE_IN_PROGRESS":  # the reason is with the first state of a rollback
                reason = stack.get("StackStatusReason") or reason
            if not status.endswith("_IN_PROGRESS"):
                after = ". CloudFormation took back what it had changed" if status == "UPDATE_ROLLBACK_COMPLETE" else ""
                raise OpsError(f"stack {self._stack}: {status}: {reason}{after}")

    def _described(self) -> dict[str, Any]:
        [stack] = self._cloudformation.describe_stacks(StackName=self._stack)["Stacks"]
        return {"Parameters": [], **stack}

    def _looked_at(self, **page: str) -> dict[str, Any]:
        """Return the change set once CloudFormation has looked at all."""
        for _ in self._steps("look at every resource"):
            answer: dict[str, Any] = self._cloudformation.describe_change_set(
                StackName=self._stack, ChangeSetName=self.change_set, IncludePropertyValues=True, **page
            )
            if not answer["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
                break
        return answer

    def _changes(self, first: Mapping[str, Any]) -> Iterator[Change]:
        page = first
        while True:
            yield from (_change(one["ResourceChange"]) for one in page.get("Changes", []) if "ResourceChange" in one)
            if not page.get("NextToken"):
                return
            page = self._looked_at(NextToken=page["NextToken"])

    def _steps(self, what: str) -> Iterator[None]:
        """Yield until the time is over."""
        began = self._clock.monotonic()
        while self._clock.monotonic() - began <= self._timeout:
            yield
            self._clock.sleep(_STEP_SECONDS)
        raise OpsError(f"stack {self._stack}: CloudFormation took longer than --timeout to {what}")


def _is_empty(reason: str) -> bool:
    return any(text in reason for text in _NOTHING)


def _change(given: Mapping[str, Any]) -> Change:
    name = given["LogicalResourceId"]
    is_gone = given.get("ResourceDriftStatus") == "DELETED"
    action = "deleted by hand, is made again" if is_gone else given["Action"]
    if given.get("ResourceDriftStatus") == "IN_SYNC":
        action += ", since others change"
    targets = [one["Target"] for one in given.get("Details", []) if "Target" in one]
    shown = () if is_gone else tuple(_property(one, has_values=not name.startswith(_SECRETIVE)) for one in targets)
    may_be_replaced = given["Action"] in {"Remove", "Dynamic"} or given.get("Replacement") in {"True", "Conditional"}
    return Change(name, given["ResourceType"], action, shown, may_be_replaced and not is_gone)


def _property(target: Mapping[str, Any], *, has_values: bool) -> str:
    path = str(target.get("Path") or target.get("Name") or target.get("Attribute", ""))
    if not has_values or not {"BeforeValue", "AfterValue"} & target.keys():
        return path
    before, after = (printable(str(target.get(f"{one}Value", "nothing")), _LONGEST) for one in ("Before", "After"))
    return f"{path}: {before} -> {after}"
