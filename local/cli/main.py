"""Runs what the command line asks for, and returns the exit code."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.aws.moto import CloudError
from local.aws.template import TemplateError
from local.cli.closing_table import show_report
from local.data_folder import DataFolder, DataFolderError
from local.machine import MachineError, check
from local.output_file import NOT_WRITTEN, OutputError, OutputFile
from local.run import Run, RunError
from local.runtime.emulator import EmulatorError
from local.shell_settings import shut_out
from local.standard_output import surviving

if TYPE_CHECKING:
    from local.run_options import RunOptions

REPOSITORY = Path(__file__).resolve().parents[2]
_INCOMPLETE, _CANNOT_START = 1, 2


def main(options: RunOptions, *, repository: Path = REPOSITORY) -> int:
    """Run as asked, show what happens, and return the exit code (see `local --help`)."""
    shut_out(os.environ)
    with surviving() as output:
        code = _run(options, Console(), repository)
        output.flush()
        if output.lost is not None:
            _complain(f"standard output: {output.lost.strerror}; the run's result could not be shown")
            code = code or NOT_WRITTEN
    return code


def _run(options: RunOptions, console: Console, repository: Path) -> int:
    done, folder = False, None
    try:
        check()
        folder = None if options.out is None else DataFolder(options.out)
        with nullcontext() if options.report is None else OutputFile(options.report) as file:
            report = Run(options, console, repository, folder).execute()
            show_report(console, report)
            done = True
            if file is not None:
                file.write(report.as_json())
    except (MachineError, TemplateError, CloudError, EmulatorError, RunError) as error:
        _complain(str(error))
        return _CANNOT_START
    except (ClientError, BotoCoreError) as error:
        _complain(f"the local AWS does not do what it is asked for: {error}")
        return _INCOMPLETE
    except DataFolderError as error:
        _complain(f"--out: {error}")
        return _CANNOT_START if folder is None else NOT_WRITTEN
    except OutputError as error:
        _complain(f"--report: {error}")
        return NOT_WRITTEN if done else _CANNOT_START
    return report.exit_code


def _complain(text: str) -> None:
    Console(stderr=True).print(f"local: error: {text}", markup=False, highlight=False, soft_wrap=True)
