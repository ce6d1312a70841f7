"""The process under attack: the real handler, called as Lambda's runtime calls it, again and again in one process.

It reads an invocation a line from standard input, `{"event": ..., "seconds": ...}`, and writes what came of it, a line
each, to the file descriptor it is given. Like the runtime it prints the error of a failed invocation.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
import uuid
from pathlib import Path
from typing import Any

from tests.adversary.parent import end_with_the_parent


class Context:
    """The part of Lambda's context that a function may use."""

    function_name = "function-under-attack"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function-under-attack"
    log_group_name = "/attack"
    log_stream_name = "attack"
    client_context = None
    identity = None

    def __init__(self, seconds: float, megabytes: int) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.memory_limit_in_mb = megabytes
        self._end = time.time() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation, as its runtime computes them: by the wall clock."""
        return max(0, int((self._end - time.time()) * 1000))


def peak_megabytes() -> float:
    """Return the most resident memory that this process ever had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def invoke(handler: Any, event: Any, context: Context) -> dict[str, Any]:
    """Call the handler; return its result, or its error in the runtime's words."""
    began = time.monotonic()
    outcome: dict[str, Any] = {"result": None, "error": None}
    try:
        outcome["result"] = json.loads(json.dumps(handler(event, context)))
    except Exception as error:  # noqa: BLE001 - the runtime takes every one
        kind = type(error)
        outcome["error"] = {"type": kind.__name__, "module": kind.__module__, "message": str(error)[:4000]}
        sys.stdout.write(f"[ERROR] {kind.__name__}: {error}\n{traceback.format_exc()}\n")
        sys.stdout.flush()
    outcome["took"] = time.monotonic() - began
    outcome["peak"] = peak_megabytes()
    return outcome


def main() -> None:
    """Serve invocations until standard input ends."""
    end_with_the_parent()
    descriptor, name, megabytes = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    module, _, function = name.rpartition(".")
    handler = getattr(importlib.import_module(module), function)
    with os.fdopen(descriptor, "w", encoding="utf-8") as answers:
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            outcome = invoke(handler, asked["event"], Context(asked["seconds"], megabytes))
            print(json.dumps(outcome), file=answers, flush=True)


if __name__ == "__main__":
    main()
