"""Imports what a command needs in four fifths of the time: people wait for it, and tests do at every start."""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_IN_LAMBDA = [path.stem for path in (Path(__file__).parent / "runtime" / "not_in_lambda").glob("[!_]*.py")]
"""What botocore imports where it is, which is beside the packages for development; nothing here needs it."""


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Let modules be imported inside without these packages, and without a look for garbage, of which there is none.

    They stay away from then on, unless somebody has imported them before.
    """
    for name in _NOT_IN_LAMBDA:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # an import of it fails, as the language has it
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
