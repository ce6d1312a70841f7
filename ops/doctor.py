"""`ops doctor`: checks a stack's setup, and says how to fix it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from common.clock import rfc3339
from ops.checks import Checks
from ops.finding import as_json, gather, is_well
from ops.output import say_json
from ops.status import show
from ops.template import read

if TYPE_CHECKING:
    import argparse

    from ops.stack import Stack

EXAMPLES = """\
examples:
  pipenv run ops doctor --stack aircraft-stream-dev
  pipenv run ops doctor --stack aircraft-stream --json | jq '.parts[] | select(.state != "ok")'

It changes nothing, and reads no secret's value.
exit code: 0 if nothing needs attention, 1 if something does, 2 if the stack cannot be found or asked."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: none beyond the common ones."""


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Check the stack; return 1 if something needs attention."""
    now = datetime.now(UTC)
    findings = gather(Checks(stack, read(stack)).all())
    if options.json:
        say_json(as_json(stack.name, rfc3339(now), findings))
    else:
        show(stack.name, now, findings)
    return 0 if is_well(findings) else 1
