"""`ops repair`: what was changed or deleted by hand becomes again what the stack was deployed as."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from common.clock import SystemClock
from ops import duration
from ops.asking import ask
from ops.errors import AWS_ERRORS, OpsError, explained
from ops.output import complain, say, say_json
from ops.repairing import Repair

if TYPE_CHECKING:
    import argparse

    from ops.repairing import Change
    from ops.stack import Stack

EXAMPLES = """\
examples:
  pipenv run ops repair --stack aircraft-stream             shows what differs, asks, and puts it back
  pipenv run ops repair --stack aircraft-stream --yes       the same in a script, without asking

Template and parameters stay as they were deployed. It does not see the code of a function, the value of a secret, or
a setting that the template leaves to AWS.
exit code: 0 if nothing differs, or no longer; 2 if it could not be done, or nobody agreed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--yes", action="store_true", help="do not ask before the changes are made")
    parser.add_argument(
        "--replace", action="store_true", help="also where a resource that is there may be replaced by a new one"
    )
    parser.add_argument(
        "--timeout",
        type=duration.of_some_length,
        default=1_800.0,
        metavar="SPAN",
        help="how long to wait for CloudFormation, twice (default 30m)",
    )


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Repair as the command line says."""
    if stack.is_local:
        raise OpsError("a local stack is not held against its template. End it and start it again: `pipenv run local`")
    repair = Repair(stack, SystemClock(), options.timeout)
    if not options.json:
        say("CloudFormation looks at every resource, which takes minutes")
    try:
        changes = repair.propose()
        if changes:
            _agree(stack, changes, options)
            repair.start()
    except BaseException:
        _discard(repair)
        raise
    if changes:
        try:
            repair.wait()
        except (KeyboardInterrupt, *AWS_ERRORS):
            complain("CloudFormation goes on: `ops doctor` says what has become of it")
            raise
    else:
        _discard(repair)
    if options.json:
        say_json({"stack": stack.name, "changes": [asdict(one) for one in changes]})
    else:
        nothing = "CloudFormation finds nothing that differs from what was deployed"
        say("done: all is as it was deployed" if changes else nothing)
    return 0


def _discard(repair: Repair) -> None:
    """Remove the change set; one that cannot be removed is named, and hides no other error."""
    try:
        repair.discard()
    except AWS_ERRORS as error:
        complain(f"change set {repair.change_set} stays: {explained(error)}")


def _agree(stack: Stack, changes: list[Change], options: argparse.Namespace) -> None:
    """Show the changes and have a person say yes.

    Raises
    ------
    OpsError
        They did not, or something may be replaced that is there.
    """
    if not options.json:
        for one in changes:
            say(one.text())
            for line in one.properties:
                say(f"    {line}")
    if (replaced := [one.logical_id for one in changes if one.is_replaced]) and not options.replace:
        raise OpsError(
            f"{', '.join(replaced)} may be replaced, and what is in it lost. Nothing was changed; --replace does it"
        )
    if not options.yes:
        ask(f"Make these {len(changes)} changes to stack {stack.name}?", "repair")
