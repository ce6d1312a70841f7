"""One local run, from its start to the ledger."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import webbrowser
from typing import TYPE_CHECKING

from local import memory_growth, signals
from local.aws.moto import Cloud
from local.cli.view import View
from local.deploy import create
from local.faults.live import LiveFaults
from local.function_names import API, CONSUMER
from local.pipeline import Pipeline
from local.runtime.emulator import binary as emulator_binary
from local.runtime.reaper import Reaper
from local.threads import ThreadWatch
from local.web.front_door import FrontDoor
from local.web.live_objects import LiveObjects
from local.web.server import WebServer
from local.web.static_files import StaticFiles

if TYPE_CHECKING:
    import threading
    from pathlib import Path
    from types import FrameType

    from rich.console import Console

    from local.audit.report import Report
    from local.data_folder import DataFolder
    from local.run_options import RunOptions
    from local.source.address import StreamAddress
    from local.source.source import SourceStream
    from local.stack import Stack

_TITLES = {"replay": "aircraft stream · a recording", "generated": "aircraft stream · generated traffic"}
INTERRUPTED = 130
"""Exit code of a run that was stopped at once: that of a shell for Ctrl-C."""


class RunError(Exception):
    """The run cannot go on: a function does not start, or the local AWS is gone."""


class Run:
    """One run. What it starts is entered into one exit stack, and ends with it in reverse order."""

    def __init__(self, options: RunOptions, console: Console, repository: Path, folder: DataFolder | None) -> None:
        self._folder = folder
        self._options = options
        self._console = console
        self._repository = repository
        self._is_stopping = False  # a signal handler sets it, and may take no lock
        self._began = time.monotonic()
        self._cloud: Cloud | None = None
        self._pipeline: Pipeline | None = None
        self._at_work = False
        self._threads = ThreadWatch(self._tell, traces=options.verbose)

    def execute(self) -> Report:
        """Run to the end.

        Raises
        ------
        TemplateError, CloudError, EmulatorError, RunError
            The stack or a function of it cannot be started, or the local AWS has ended.
        """
        options = self._options
        with contextlib.ExitStack() as running:
            running.enter_context(signals.handled_by(self._interrupted))
            running.enter_context(self._threads)
            emulator_binary()
            web = running.enter_context(self._web()) if options.web else None
            self._console.print("[dim]Starting the local AWS and creating the stack from template.yaml ...[/dim]")
            self._cloud = cloud = Cloud(listed=options.listed)
            running.callback(cloud.stop)
            for note in (*options.source.notes, *filter(None, [memory_growth.note(options)])):
                self._tell(note)
            faults = None if options.chaos is None else LiveFaults(options.chaos)
            source = running.enter_context(options.source.serve(options.duration, self._tell, faults))
            stack = self._create_stack(cloud, source.address, faults)
            if faults is not None:
                running.callback(faults.stop)
                stack = faults.hurry(stack)
            self._pipeline = pipeline = Pipeline(
                options,
                stack,
                cloud,
                source,
                task_root=self._repository / "src",
                path=os.environ.get("PATH", os.defpath),
                tell=self._tell,
                endpoint=None if faults is None else faults.before_aws(cloud.endpoint),
                reaper=running.enter_context(Reaper()),
                broken=lambda: self._broken(source),
            )
            running.callback(pipeline.close)
            if web is not None:
                live = LiveObjects(cloud.client("s3"), stack.resources["DataBucket"])
                web.connect(live, FrontDoor(pipeline.functions[API].invoke))
            self._at_work = True
            source.start()
            pipeline.start()
            if faults is not None:
                faults.start(
                    pipeline.functions,
                    cloud.client("kinesis"),
                    stack.resources["UpdatesStream"],
                    pipeline.run_finished,
                )
            with View(self._console, pipeline.snapshot, _TITLES.get(options.source.kind, "aircraft stream")):
                self._wait_for(source.finished, pipeline)
                source.stop()
                self._check(pipeline, cloud, chaos=faults is not None)
                if faults is not None:
                    faults.join()
                pipeline.finish()
            self._check(pipeline, cloud, chaos=faults is not None)
            if faults is not None:
                faults.join_invocations()
                happened = ", ".join(f"{kind} {number}" for kind, number in sorted(faults.injected.items()))
                self._tell(f"went wrong on purpose: {happened or 'nothing'}")
            report = pipeline.report(time.monotonic() - self._began)
            if self._folder is not None:
                kept = self._folder.keep(pipeline.data())
                folder = self._folder.path
                self._tell(f"{kept:,} objects are in {folder}; ask them: pipenv run query busiest --on {folder}")
            return report

    def _web(self) -> WebServer:
        """Return the server of the page and the API; its address is the first thing that a person sees."""
        port = self._options.web_port
        try:
            server = WebServer(StaticFiles(self._repository / "web"), port=port)
        except OSError as error:
            taken = f"--web-port: {port} cannot be used: {error.strerror}; take another, or 0 for any free one"
            raise RunError(taken) from error
        self._tell(f"The map is at {server.url} and the API at {server.url}api/targets")
        if self._options.open:
            webbrowser.open(server.url)
        return server

    def _create_stack(self, cloud: Cloud, stream: StreamAddress, faults: LiveFaults | None) -> Stack:
        """Make the stack that reads the stream."""
        options = self._options
        timeout = options.consumer_timeout
        stack = create(
            cloud,
            self._repository / "template.yaml",
            name="local",
            parameters={
                "StreamUrl": stream.url,
                "StreamMode": "PROVISIONED",
                "ShardCount": str(options.shards),
                "WindowSeconds": str(options.window),
                "RecordFormat": options.record_format,
                "Schedule": options.schedule,
                "StreamDelayMinutes": str(options.delay),
                "LatestStateTable": "on" if options.latest_states else "off",
                "StopWhenCaughtUp": str(options.stop_when_caught_up).lower(),
                **options.source.parameters,
                **({} if faults is None else faults.parameters),
            },
            secret_value=stream.token,
            timeouts={} if timeout is None else {CONSUMER: timeout},
        )
        if options.verbose:
            for logical_id, reason in sorted(stack.left_out.items()):
                self._tell(f"left out: {logical_id}: {reason}")
        return stack

    def _tell(self, text: str) -> None:
        """Print a line; a terminal shows it above the live picture."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _broken(self, source: SourceStream) -> str:
        """Return what broke so that nothing more can come of the run; a source that failed is only its end."""
        if self._cloud is not None and not self._cloud.alive:
            return "the local AWS (moto) has ended"
        return self._threads.failures[0] if self._threads.failed.is_set() and source.failure is None else ""

    @staticmethod
    def _check(pipeline: Pipeline, cloud: Cloud, *, chaos: bool) -> None:
        if not cloud.alive:
            raise RunError("the local AWS (moto) ended in the middle of the run; nothing can be counted")
        if not chaos and (reason := pipeline.cannot_start()):
            raise RunError(reason)

    def _wait_for(self, finished: threading.Event, pipeline: Pipeline) -> None:
        while not finished.wait(0.1) and not self._is_stopping and not pipeline.broken():
            pass
        if self._is_stopping:
            self._tell("Stopping gracefully; press Ctrl-C again to stop at once.")

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        """Stop gracefully at the first Ctrl-C, at once at the second; so too for SIGTERM and a closed terminal.

        Before anything is sent there is no order to keep: the first one ends the run.
        """
        if self._at_work and not self._is_stopping:
            self._is_stopping = True
            return
        if self._pipeline is not None:
            self._pipeline.kill()
        if self._cloud is not None:
            self._cloud.kill()
        show_cursor = "\x1b[?25h" if sys.stdout.isatty() else ""
        os.write(2, f"{show_cursor}\nlocal: stopped at once; nothing was counted\n".encode())
        os._exit(INTERRUPTED)
