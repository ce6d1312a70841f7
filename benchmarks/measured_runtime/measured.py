"""Runs inside the runtime emulator, around a function's handler: answers what CPU time the process has used so far.

By the first answer that is the whole cold start: the interpreter, AWS's runtime client, the imports, one invocation.
"""

import importlib
import os
import resource
from pathlib import Path
from typing import Any

_handler = importlib.import_module(os.environ["MEASURED_MODULE"]).handler


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Invoke the function; answer with the process's CPU seconds, user and system, and its largest memory in bytes."""
    answer = _handler(event, context)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    peak = int(Path("/proc/self/status").read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) * 1024
    return {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak": peak, "answer": answer}
