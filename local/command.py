"""How a command runs and ends on any machine: what the shell has closed, a full disk, no memory, Ctrl-C."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

CANNOT, INTERRUPTED = 2, 130

_REFUSED = {
    *(errno.EACCES, errno.EAGAIN, errno.EBADF, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENOSPC, errno.EROFS),
}
"""The machine, or its owner, does not let us; any other error is a fault of the command, and keeps its trace."""

_OF_OUTPUT = {errno.EBADF, errno.EIO, errno.ENOSPC}

_STREAMS = ("stdin", "stdout", "stderr")


def run_command(name: str, main: Callable[[], int]) -> NoReturn:
    """Run a command, and exit with its code; what the machine refuses is said in a sentence, with exit code 2.

    A reader of the output that has seen enough (`| head`) is no error.
    """
    open_closed_streams()
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        _write_to_nowhere()
        code = 0
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        _write_to_nowhere()
        about = error.filename or ("standard output" if error.errno in _OF_OUTPUT else "this machine")
        code = _complained(name, f"{about}: {error.strerror}")
    except MemoryError:
        code = _complained(name, "there is not enough memory for it (`ulimit -v`, or what else runs on this machine)")
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def open_closed_streams() -> None:
    """Open the standard streams that the shell has closed (`>&-`), so that no other file takes their place.

    What is written to standard output then fails, as in a shell; to standard error it is dropped.
    """
    for number, name in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))  # noqa: SIM115 -- a descriptor; open until the end


def _write_to_nowhere() -> None:
    """Let the interpreter's end have no trouble with what is still in the buffer."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _complained(name: str, text: str) -> int:
    sys.stderr.write(f"{name}: error: {text}\n")
    return CANNOT
