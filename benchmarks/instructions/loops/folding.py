"""Folding: a batch of the aggregator, in the middle of a window whose state holds 5,000 aircraft."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aggregator.handler import handler
from benchmarks.instructions.loops import EVENT
from benchmarks.sides.window import Context

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.instructions.loops import Pass


def make(folder: Path, url: str) -> Pass:  # noqa: ARG001 - all loops are called alike
    """Each pass folds the same batch into the same state."""
    event = json.loads((folder / EVENT).read_text(encoding="utf-8"))
    context: Any = Context()

    def fold() -> int:
        handler(event, context)
        return len(event["Records"])

    return fold
