"""Runs inside the runtime emulator, around a function's handler: answers what CPU time the process has used so far.

By the first answer that is the whole cold start: the interpreter, AWS's runtime client, the imports, one invocation.
"""

import importlib
import os
import resource
from typing import Any

_handler = importlib.import_module(os.environ["MEASURED_MODULE"]).handler


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Invoke the function; answer with the CPU seconds of the process, user and system together."""
    answer = _handler(event, context)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_seconds": usage.ru_utime + usage.ru_stime, "answer": answer}
