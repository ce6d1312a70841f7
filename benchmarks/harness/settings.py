"""The settings that benchmarks share: a server of the stream, and a stub of AWS beside it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.harness import processes
from benchmarks.inputs import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness.case import Setting
    from benchmarks.harness.workspace import Workspace


def stream(*, flush_lines: bool, compress: bool) -> Setting:
    """Return the setting of reading: one server of the stream."""

    @contextmanager
    def start(workspace: Workspace, workload: str) -> Iterator[dict[str, Any]]:
        lines = workspace.lines(workload)
        name = f"{workload}-{'line' if flush_lines else 'bulk'}-{'gzip' if compress else 'plain'}.body"
        path = workspace.folder / name
        if not path.exists():
            bodies.write(bodies.make(lines, flush_lines=flush_lines, compress=compress), path)
        compression = "gzip" if compress else "none"
        with processes.server("feed", str(path), compression) as url:
            yield {"url": url, "compression": compression, "updates": len(lines)}

    return start


def stream_to_kinesis(*, flush_lines: bool, compress: bool) -> Setting:
    """Return the setting of publishing: the stream, and AWS."""

    @contextmanager
    def start(workspace: Workspace, workload: str) -> Iterator[dict[str, Any]]:
        with stream(flush_lines=flush_lines, compress=compress)(workspace, workload) as params, aws() as stub:
            yield params | stub

    return start


@contextmanager
def aws(*arguments: str) -> Iterator[dict[str, Any]]:
    """Start the stub of AWS; give its address, and the environment that leads every client there."""
    with processes.server("aws", *arguments) as url:
        yield {"aws": url, "environment": {"AWS_ENDPOINT_URL": url}}
