"""Starts servers, and runs each side in a separate process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from benchmarks.harness import machine
from benchmarks.harness.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENVIRONMENT = {
    "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    "PYTHONHASHSEED": "0",
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
    "POWERTOOLS_METRICS_NAMESPACE": "benchmark",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "NO_PROXY": "*",
}
"""Of servers and sides: nothing that reaches a real account, and the same in every run."""

_ENDING_SECONDS = 5.0


class BenchmarkError(Exception):
    """A side or a server failed, or handled another number of updates than there were."""


@contextmanager
def server(module: str, *arguments: str) -> Iterator[str]:
    """Run one of `benchmarks.servers` on the servers' core; give its address."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
        [sys.executable, "-m", f"benchmarks.servers.{module}", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        os.sched_setaffinity(process.pid, machine.cores()[0])
        line = process.stdout.readline()
        if not line:
            raise BenchmarkError(f"server {module} ended with {process.wait()} before it listened")
        yield f"http://127.0.0.1:{json.loads(line)['port']}"
        process.stdin.close()  # asks it to end, as it does with 0 unless it has failed
        with suppress(subprocess.TimeoutExpired):
            if code := process.wait(_ENDING_SECONDS):
                raise BenchmarkError(f"server {module} ended with {code} while it was measured with")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def side(target: str, params: dict[str, Any], package: Path | None = None) -> dict[str, Any]:
    """Run a side in a fresh process on its own core; return what it measured.

    Given the folder of a function's package, the side runs our code out of that, and sees no package for development:
    botocore imports pyOpenSSL and awscrt where they are, which take 15 MB.

    Raises
    ------
    BenchmarkError
        It failed; the text holds the end of what it said.
    """
    environment = {**os.environ, **ENVIRONMENT, **params.get("environment", {})}
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    done = subprocess.run(  # noqa: S603 - our own interpreter and modules
        [sys.executable, *(["-S"] if package else []), "-m", "benchmarks.harness.side", target],
        cwd=ROOT,
        env=environment,
        input=json.dumps(params),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{target}: ended with {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.rpartition("\n=result ")[2])
    return result
