"""One cold start in AWS's runtime interface emulator."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.case import Measured
from benchmarks.harness.processes import ENVIRONMENT, BenchmarkError
from benchmarks.harness.workspace import ROOT
from local.runtime.emulator import Emulator
from local.runtime.reaper import Reaper

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_SECONDS = 60


def ours(params: dict[str, Any]) -> Measured:
    """Our function, as packaged."""
    return _start(params, params["ours"], params["module"])


def peer(params: dict[str, Any]) -> Measured:
    """The usual function, as pip installs it."""
    return _start(params, params["usual"], params["peer"])


def peer_compiled(params: dict[str, Any]) -> Measured:
    """The same, byte-compiled."""
    return _start(params, params["usual_compiled"], params["peer"])


def peer_with_clients(params: dict[str, Any]) -> Measured:
    """The usual function that makes at the top the clients it will need."""
    return _start(params, params["usual"], params["peer"], CLIENTS=params["clients"])


def peer_compiled_with_clients(params: dict[str, Any]) -> Measured:
    """The same, byte-compiled."""
    return _start(params, params["usual_compiled"], params["peer"], CLIENTS=params["clients"])


def bare(params: dict[str, Any]) -> Measured:
    """The runtime by itself."""
    return _start(params, params["usual_compiled"], "bare")


def _start(params: dict[str, Any], package: str, module: str, **environment: str) -> Measured:
    with runtime(params, package, module, **environment) as emulator:
        return Measured(invoke(emulator, params["event"])["cpu_seconds"], 1)


def invoke(emulator: Emulator, event: str) -> dict[str, Any]:
    """Return what `measured_runtime` answers.

    Raises
    ------
    BenchmarkError
        The function failed.
    """
    result = emulator.invoke(event.encode())
    if result.function_error is not None:
        raise BenchmarkError(f"the function failed: {result.payload}")
    answer: dict[str, Any] = result.payload
    return answer


def _hold_lease(checkpoint: str) -> None:
    """Put a checkpoint there whose lease another holds, for longer than one start takes."""
    until = datetime.now(UTC) + timedelta(seconds=60)
    body = json.dumps({"version": 1, "lease": {"owner": "another", "expires_at": until.isoformat()}}).encode()
    urllib.request.urlopen(urllib.request.Request(checkpoint, body, method="PUT")).close()  # noqa: S310 - our own stub


@contextmanager
def runtime(params: dict[str, Any], package: str, module: str, **environment: str) -> Iterator[Emulator]:
    """Give an emulator with a package's module in it, measured from inside; its first invocation is a cold start."""
    reaper = Reaper()  # a side is killed where the whole run is ended
    emulator = Emulator(
        "measured.handler",
        Path(package),
        TIMEOUT_SECONDS,
        {
            **ENVIRONMENT,
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join([package, params["runtime"], str(ROOT / "benchmarks" / "measured_runtime")]),
            # Lambda's /var/task is read-only: what came without bytecode is compiled at every cold start.
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": package,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_SECONDS),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "MEASURED_MODULE": module,
            **params["function_environment"],
            **environment,
        },
        lambda _: None,
        # Lambda has none of the packages for development, and botocore imports some of these where they are.
        python=(sys.executable, "-S"),
        reaper=reaper,
    )
    _hold_lease(params["checkpoint"])
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()
        reaper.stop()
