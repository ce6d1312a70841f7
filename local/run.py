"""One local run, from its start to the ledger."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from local.closing_table import show_report
from local.cloud import Cloud, CloudError
from local.creation import create
from local.emulator import EmulatorError
from local.emulator import binary as emulator_binary
from local.faults.live import KEEP_ALIVE_SECONDS, LiveFaults
from local.guardian import Guardian
from local.pipeline import CONSUMER, Pipeline
from local.shell_settings import shut_out
from local.simulator.feed import Feed
from local.simulator.server import TrackingStreamServer
from local.translation import TemplateError
from local.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from local.command_line import RunOptions
    from local.report import Report
    from local.stack import Stack

REPOSITORY = Path(__file__).resolve().parent.parent
_TITLES = {"replay": "aircraft stream · a recording", "generated": "aircraft stream · generated traffic"}
_CANNOT_START, _INTERRUPTED = 2, 130
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(options: RunOptions, *, repository: Path = REPOSITORY) -> int:
    """Run as asked, show what happens, and return the exit code (see `local --help`)."""
    console = Console()
    shut_out(os.environ)
    try:
        report = _Run(options, console, repository).execute()
    except (TemplateError, CloudError, EmulatorError) as error:
        Console(stderr=True).print(f"local: error: {error}", markup=False, highlight=False, soft_wrap=True)
        return _CANNOT_START
    show_report(console, report)
    if options.report is not None:
        options.report.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    return report.exit_code


class _Run:
    """One run. What it starts is entered into one exit stack, and ends with it in reverse order."""

    def __init__(self, options: RunOptions, console: Console, repository: Path) -> None:
        self._options = options
        self._console = console
        self._repository = repository
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._cloud: Cloud | None = None
        self._pipeline: Pipeline | None = None

    def execute(self) -> Report:
        """Run to the end.

        Raises
        ------
        TemplateError, CloudError, EmulatorError
            The stack cannot be started.
        """
        options = self._options
        with contextlib.ExitStack() as running:
            running.enter_context(self._signals())
            emulator_binary()
            self._console.print("[dim]Starting the local AWS and creating the stack from template.yaml ...[/dim]")
            self._cloud = cloud = Cloud()
            running.callback(cloud.stop)
            feed = Feed(options.source, speed=options.speed, duration=options.duration)
            token = secrets.token_hex(16)
            faults = None if options.chaos is None else LiveFaults(options.chaos)
            server = running.enter_context(self._server(feed, token, faults))
            running.callback(feed.stop)
            stack = self._create_stack(cloud, server.url, token, {} if faults is None else faults.parameters)
            if faults is not None:
                running.callback(faults.stop)
                stack = faults.hurry(stack)
            self._pipeline = pipeline = Pipeline(
                options,
                stack,
                cloud,
                feed,
                server,
                task_root=self._repository / "src",
                path=os.environ["PATH"],
                tell=self._tell,
                endpoint=None if faults is None else faults.before_aws(cloud.endpoint),
                guardian=running.enter_context(Guardian()),
            )
            running.callback(pipeline.close)
            feed.start()
            pipeline.start()
            if faults is not None:
                faults.start(
                    server,
                    pipeline.functions,
                    cloud.client("kinesis"),
                    stack.resources["UpdatesStream"],
                    pipeline.run_finished,
                )
            with View(self._console, pipeline.snapshot, _TITLES.get(options.source.kind, "aircraft stream")):
                self._wait_for(feed.finished)
                feed.stop()
                if faults is not None:
                    faults.join()
                pipeline.finish()
            if faults is not None:
                faults.join_invocations()
                happened = ", ".join(f"{kind} {number}" for kind, number in sorted(faults.injected.items()))
                self._tell(f"went wrong on purpose: {happened or 'nothing'}")
            return pipeline.report(time.monotonic() - self._began)

    def _server(self, feed: Feed, token: str, faults: LiveFaults | None) -> TrackingStreamServer:
        interval = self._options.token_interval
        if faults is None:
            return TrackingStreamServer(feed, token=token, token_interval=interval)
        return TrackingStreamServer(
            feed,
            token=token,
            token_interval=interval,
            keep_alive=KEEP_ALIVE_SECONDS,
            body=faults.upstream.body,
            refuse=faults.upstream.refuse,
        )

    def _create_stack(self, cloud: Cloud, url: str, token: str, parameters: dict[str, str]) -> Stack:
        options = self._options
        timeout = options.consumer_timeout
        stack = create(
            cloud,
            self._repository / "template.yaml",
            name="local",
            parameters={
                "StreamUrl": url,
                # There is no checkpoint yet, and nothing that was sent before the first run may be passed over.
                "StartPosition": "BEGINNING",
                "StreamMode": "PROVISIONED",
                "ShardCount": str(options.shards),
                "WindowSeconds": str(options.window),
                "RecordFormat": options.record_format,
                **parameters,
            },
            secret_value=token,
            timeouts={} if timeout is None else {CONSUMER: timeout},
        )
        if options.verbose:
            for logical_id, reason in sorted(stack.left_out.items()):
                self._tell(f"left out: {logical_id}: {reason}")
        return stack

    def _tell(self, text: str) -> None:
        """Print a line; a terminal shows it above the live picture."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _wait_for(self, finished: threading.Event) -> None:
        while not finished.wait(0.1) and not self._stop.is_set():
            pass
        if self._stop.is_set():
            self._tell("Stopping in good order; Ctrl-C once more stops at once.")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Stop in good order at the first Ctrl-C, at once at the second; so too for SIGTERM and a closed terminal."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread alone
            return
        previous = {number: signal.signal(number, self._interrupted) for number in _ENDING_SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        if not self._stop.is_set():
            self._stop.set()
            return
        if self._pipeline is not None:
            self._pipeline.kill()
        if self._cloud is not None:
            self._cloud.kill()
        show_cursor = "\x1b[?25h" if sys.stdout.isatty() else ""
        os.write(2, f"{show_cursor}\nlocal: stopped at once; nothing was counted\n".encode())
        os._exit(_INTERRUPTED)
