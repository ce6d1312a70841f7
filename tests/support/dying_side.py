"""A side of a benchmark, one of whose threads dies while it is measured."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Nothing:
    """What it measured."""

    updates: int = 0


def run(params: dict[str, Any]) -> Nothing:
    """Measure all the same."""
    if params["dies"]:
        thread = threading.Thread(target=lambda: params["nothing"], name="sampler")
        thread.start()
        thread.join()
    return Nothing()
