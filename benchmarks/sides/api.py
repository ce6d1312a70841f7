"""The API's function, warm, in AWS's runtime interface emulator: how long it takes to answer."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.sides import cold

_WARMING = 20


@dataclass(frozen=True, slots=True)
class Answered:
    """Seconds of each answer, from the call to its last byte; CPU seconds of each; aircraft of all together."""

    seconds: list[float]
    cpu_seconds: list[float]
    targets: int


def ask(params: dict[str, Any]) -> Answered:
    """Ask for bounding boxes of 5 by 5 degrees, each somewhere else."""
    rng = random.Random(1)  # noqa: S311 - not for secrets
    event = json.loads(params["event"])
    event |= {"rawPath": "/api/targets", "pathParameters": {"proxy": "targets"}, "headers": {"accept": "*/*"}}
    seconds: list[float] = []
    spent: list[float] = []
    targets = 0
    with cold.runtime(params, params["ours"], params["module"]) as emulator:
        before = 0.0
        for number in range(_WARMING + params["requests"]):
            west, south = rng.uniform(-125, 135), rng.uniform(-40, 60)
            box = f"{west:.2f},{south:.2f},{west + 5:.2f},{south + 5:.2f}"
            asked = event | {"rawQueryString": f"bbox={box}", "queryStringParameters": {"bbox": box}}
            began = time.perf_counter()
            answer = cold.invoke(emulator, json.dumps(asked))
            took = time.perf_counter() - began
            if number >= _WARMING:
                seconds.append(took)
                spent.append(answer["cpu_seconds"] - before)
                targets += len(json.loads(answer["answer"]["body"])["targets"])
            before = answer["cpu_seconds"]
    return Answered(seconds, spent, targets)
