"""The commands, their options and their exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING

from ops.errors import AWS_ERRORS, OpsError, explained
from ops.help_text import HelpFormatter
from ops.output import complain
from ops.stack import find

if TYPE_CHECKING:
    from collections.abc import Sequence

CANNOT, INTERRUPTED = 2, 130

_EPILOG = """\
examples:
  pipenv run ops status --local --watch          a local stack that runs in another terminal
  pipenv run ops doctor --stack aircraft-stream-dev
  pipenv run ops tail alerts --stack aircraft-stream --since 1h

`pipenv run ops COMMAND --help` has examples of each. docs/ops.md says what each may do in AWS."""

_OF_A_STACK = {
    "status": ("ops.status", "the whole pipeline on one screen"),
    "tail": ("ops.tail", "show updates, window rows, alerts, rejected lines or failures as they come"),
    "redrive": ("ops.redrive", "list what was given up and why, and put it back into the stream"),
    "drain": ("ops.drain", "bring a stack to rest with no window open, before an upgrade"),
    "doctor": ("ops.doctor", "check that a stack is set up as it should be"),
    "repair": ("ops.repair", "put back what was changed or deleted by hand"),
}
"""Commands about a stack: their module, which is imported for its own command alone, and what they do."""

_OTHERS = {
    "plan": ("ops.plan.command", "settings for a load, what they lead to and cost; or what settings do under one"),
    "explain-filter": ("ops.explain", "whether records match a filter pattern, and if not, which part of it failed"),
}


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of one: of the others it knows no more than what they do."""
    top = argparse.ArgumentParser(
        prog="pipenv run ops",
        description="For those who run a stack: how it is, what passes through it, and what to do about it.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (path, summary) in (_OF_A_STACK | _OTHERS).items():
        if name != wanted and wanted is not None:
            commands.add_parser(name, help=summary)
            continue
        module = importlib.import_module(path)
        one = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=module.EXAMPLES,
            formatter_class=HelpFormatter,
            allow_abbrev=False,
        )
        if name in _OF_A_STACK:
            _add_stack_options(one)
        module.configure(one)
        one.add_argument("--json", action="store_true", help="for machines")
    return top


def _add_stack_options(one: argparse.ArgumentParser) -> None:
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--stack", metavar="NAME", help="a deployed stack, e.g. aircraft-stream-dev")
    which.add_argument(
        "--local",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="the local stack that runs on this machine; where several do, by the address of its AWS",
    )
    one.add_argument("--region", help="default: as the shell or the profile says")
    one.add_argument("--profile", help="profile of ~/.aws/config (default: as the shell says)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, 2 where it could not be done."""
    arguments = sys.argv[1:] if arguments is None else arguments
    wanted = next((one for one in arguments if not one.startswith("-")), "")
    options = parser(wanted).parse_args(arguments)
    path, _ = (_OF_A_STACK | _OTHERS)[options.command]
    run = importlib.import_module(path).run
    try:
        code = int(run(find(options), options) if options.command in _OF_A_STACK else run(options))
        sys.stdout.flush()
    except (OpsError, *AWS_ERRORS) as error:
        complain(explained(error))
        return CANNOT
    except BrokenPipeError:
        # What is still in the buffer is written at the interpreter's end: to nowhere, rather than with an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
