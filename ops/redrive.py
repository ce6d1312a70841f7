"""`ops redrive`: puts the records of on-failure objects back into the stream, once each."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from local.output_file import OutputError, OutputFile
from local.simulator.options import count
from local.standard_output import surviving
from ops.asking import ask
from ops.errors import OpsError
from ops.failures import PREFIX
from ops.output import complain, say, say_json, say_line
from ops.redriving import Redrive, Wanted

if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager

    from ops.redriving import Report
    from ops.stack import Stack

EXAMPLES = """\
examples:
  pipenv run ops redrive --stack NAME                       list what there is, and why it failed; changes nothing
  pipenv run ops redrive --stack NAME --show 3              the first messages of each object too
  pipenv run ops redrive --stack NAME --confirm             put them back, after asking
  pipenv run ops redrive --stack NAME --function alerts --confirm --yes --delete --report done.json

An object whose records are in the stream is marked with the tag `redriven`, and skipped from then on, unless
--again is given. First mend the cause; records that fail again only come back.
exit code: 0 if all went, or would go; 1 if something could not; 2 if nothing could be tried."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--prefix", default=PREFIX, help="only objects whose keys begin so (default: %(default)s)")
    parser.add_argument("--function", default="", metavar="NAME", help="only those of this function, e.g. alerts")
    parser.add_argument("--show", type=count, default=0, metavar="N", help="show the first N messages of each object")
    parser.add_argument("--confirm", action="store_true", help="do it; without this it only says what it would do")
    parser.add_argument("--yes", action="store_true", help="with --confirm: do not ask")
    parser.add_argument("--delete", action="store_true", help="remove each object once its records are in the stream")
    parser.add_argument("--again", action="store_true", help="also what was redriven before")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what became of each object, as JSON")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Redrive as the command line says; return 1 where something could not go back."""
    wanted = Wanted(
        options.prefix, options.function.lower(), options.show, options.confirm, options.delete, options.again
    )
    if options.confirm and not options.yes:
        ask(f"Put the records given up by stack {stack.name} back into {stack['UpdatesStream']}?", "--confirm")
    with _place(options.report) as place, surviving() as output:
        report = Redrive(
            stack.client("s3"),
            stack.client("kinesis"),
            bucket=stack["FailuresBucket"],
            stream=stack["UpdatesStream"],
            wanted=wanted,
            tell=(lambda _: None) if options.json else (lambda text: say_line(text.encode())),
        ).run()
        is_written = _written(report, place)
        _show(report, as_json=options.json)
    if output.lost is not None and output.lost.errno != errno.EPIPE:
        complain(f"standard output: {output.lost.strerror}; the rest of the output is lost, the records are not")
        return 1
    return 1 if report.kept or not is_written else 0


def _place(path: Path | None) -> AbstractContextManager[OutputFile | None]:
    """Try the report's place before anything is done.

    Raises
    ------
    OpsError
        Nothing can be written there.
    """
    try:
        return nullcontext() if path is None else OutputFile(path)
    except OutputError as error:
        raise OpsError(f"--report {error}. Nothing was done") from error


def _written(report: Report, place: OutputFile | None) -> bool:
    if place is not None:
        try:
            place.write(msgspec.to_builtins(report))
        except OutputError as error:
            complain(f"--report {error}")
            return False
    return True


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        say_json(msgspec.to_builtins(report))
        return
    if not (report.records or report.passed_over or report.kept):
        say("nothing lies there to be redriven")
        return
    say(
        f"{report.records} records {'are back in' if report.confirmed else 'would go to'} {report.stream}"
        + (f"; {report.passed_over} objects had been sent before" if report.passed_over else "")
        + (f"; {report.kept} objects did not go as a whole" if report.kept else "")
    )
    if report.records and not report.confirmed:
        say("nothing was changed. Mend the cause, then do it with --confirm")
