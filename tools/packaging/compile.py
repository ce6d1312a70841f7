"""Byte-compiles a function's folder: `python tools/packaging/compile.py DIR`, in a separate process."""

from __future__ import annotations

import py_compile
import sys
from pathlib import Path


def compile_folder(folder: Path) -> None:
    """Put a .pyc beside each .py, in sorted order.

    Unchecked-hash files hold no time stamp, so that two builds give the same bytes, and Python reads them without
    looking at the source: Lambda's file system keeps neither times nor a place to write new ones.
    """
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder).as_posix()
        py_compile.compile(
            str(source),
            dfile=f"/var/task/{name}",  # where Lambda unpacks it: what a traceback shows
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


if __name__ == "__main__":
    compile_folder(Path(sys.argv[1]))
