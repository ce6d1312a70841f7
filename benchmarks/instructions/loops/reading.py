"""Reading: from the bytes of a gzip body to typed updates handed on, by the consumer's own client and reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.instructions.loops import UPDATES
from benchmarks.sides import reader

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.instructions.loops import Pass


def make(folder: Path, url: str) -> Pass:  # noqa: ARG001 - all loops are called alike
    """Each pass reads the body again; it comes over loopback from a server that is always ahead."""
    params = {"url": url, "compression": "gzip", "updates": UPDATES}
    return lambda: reader.read(params).updates
