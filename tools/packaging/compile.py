"""Byte-compiles a function's folder: `python tools/packaging/compile.py DIR COMPILED`, in a separate process."""

from __future__ import annotations

import hashlib
import importlib.util
import py_compile
import shutil
import sys
from pathlib import Path


def compile_folder(folder: Path, compiled: Path) -> None:
    """Put a .pyc beside each .py, in sorted order; `compiled` is where each is kept, and taken from by the next folder.

    Unchecked-hash files hold no time stamp, so that two builds give the same bytes, and Python reads them without
    looking at the source: Lambda's file system keeps neither times nor a place to write new ones.
    """
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder).as_posix()
        kept = compiled / hashlib.sha256(b"\0".join([name.encode(), source.read_bytes()])).hexdigest()
        if not kept.exists():
            py_compile.compile(
                str(source),
                cfile=str(kept),
                dfile=f"/var/task/{name}",  # where Lambda unpacks it: what a traceback shows
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        target = Path(importlib.util.cache_from_source(str(source)))
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(kept, target)


if __name__ == "__main__":
    compile_folder(Path(sys.argv[1]), Path(sys.argv[2]))
