"""Runs commands on odd machines, each in a fork of one process that has imported all of them.

`python -m tests.support.odd_machine CASES` reads a list of cases in JSON, and prints a list of what became of each.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.command import run_command

MODULES = {
    "local": "local.cli.main",
    "simulator": "feeds.simulator",
    "feeder": "feeds.feeder",
    "record": "feeds.recorder",
    "chaos": "local.faults.__main__",
    "bench": "benchmarks.__main__",
    "query": "tools.query.__main__",
    "ops": "ops.command_line",
    "set-token": "tools.operations.set_token",
    "page-password": "tools.operations.page_password",
}
_LONGEST_SECONDS = 60
NOT_PERMITTED = "not permitted here"


def _empty_environment() -> None:
    os.environ.clear()


def _offline() -> None:
    """Take all of the network away, loopback included."""
    try:
        os.unshare(os.CLONE_NEWNET)
    except PermissionError:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)


def _closed() -> None:
    """Close the standard streams, as `<&- >&-` does; the interpreter then has None in their place."""
    os.close(0)
    os.close(1)
    sys.stdin = sys.stdout = None  # type: ignore[assignment]


def _full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def _few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))


def _little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def _nowhere_to_write() -> None:
    """No home, no folder for temporary files, and a folder to work in where nothing can be made."""
    os.environ["HOME"] = os.environ["TMPDIR"] = "/proc/nowhere"
    tempfile.tempdir = "/proc/nowhere"
    os.chdir("/proc")


def _narrow() -> None:
    os.environ.update(COLUMNS="20", LANG="C", LC_ALL="C")
    os.environ.pop("TERM", None)
    sys.stdout.reconfigure(encoding="ascii")  # type: ignore[union-attr]


CONDITIONS = {
    "an empty environment": _empty_environment,
    "no loopback": _offline,
    "closed streams": _closed,
    "a full disk": _full,
    "few files": _few_files,
    "little memory": _little_memory,
    "nowhere to write": _nowhere_to_write,
    "a narrow terminal": _narrow,
}


def _child(command: str, arguments: list[str], condition: str, output: Path) -> None:
    """Run the command on that machine; does not return."""
    os.setsid()
    signal.alarm(_LONGEST_SECONDS)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT), number)
    try:
        CONDITIONS[condition]()
    except PermissionError:
        sys.stderr.write(NOT_PERMITTED)
        sys.stderr.flush()
        os._exit(0)
    module = importlib.import_module(MODULES[command])

    def main() -> int:
        if command == "local":
            from local.cli.command_line import parse

            return int(module.main(parse(arguments)))
        return int(module.main(arguments))

    try:
        run_command(command, main)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- shown, as the interpreter would
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        code = 1
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    os._exit(code)


def _run(cases: list[tuple[str, list[str], str]], folder: Path) -> list[dict[str, Any]]:
    for command in MODULES.values():
        importlib.import_module(command)
    running = {}
    for number, (command, arguments, condition) in enumerate(cases):
        output = folder / str(number)
        output.mkdir()
        pid = os.fork()
        if pid == 0:
            _child(command, arguments, condition, output)
        running[pid] = number
    results: list[dict[str, Any]] = [{} for _ in cases]
    for pid, number in running.items():
        _, status = os.waitpid(pid, 0)
        left = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # a session of its own: whatever is still in it was left behind
            left = True
        results[number] = {
            "code": os.waitstatus_to_exitcode(status),
            "left": left,
            **{name: (folder / str(number) / name).read_text(errors="replace") for name in ("out", "err")},
        }
    return results


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        json.dump(_run(json.loads(sys.argv[1]), Path(place)), sys.stdout)
