"""A cold start and what comes after it, in AWS's runtime interface emulator: CPU time of each, and memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sides import cold
from benchmarks.sides.window import with_state


@dataclass(frozen=True, slots=True)
class Invocations:
    """CPU seconds of the first invocation, the start included, and of each that followed; the process's peak memory.

    `memory` is in bytes, after each invocation.
    """

    seconds: list[float]
    memory: list[int]


def run(params: dict[str, Any]) -> Invocations:
    """Invoke our function with the events in the file `events`, one a line; each gets the state of the one before."""
    total, seconds, memory, state = 0.0, [], [], "{}"
    with cold.runtime(params, params["ours"], params["module"]) as emulator:
        for event in Path(params["events"]).read_text(encoding="utf-8").splitlines():
            answer = cold.invoke(emulator, with_state(event, state))
            seconds.append(answer["cpu_seconds"] - total)
            memory.append(answer["peak"])
            total = answer["cpu_seconds"]
            state = json.dumps(answer["answer"].get("state") or {})
    return Invocations(seconds, memory)
