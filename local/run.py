"""One local run, from its start to the ledger."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
import threading
import time
import webbrowser
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.aws.moto import Cloud, CloudError
from local.aws.template import TemplateError
from local.cli.closing_table import show_report
from local.cli.view import View
from local.data_folder import DataFolder, DataFolderError
from local.deploy import create
from local.faults.live import KEEP_ALIVE_SECONDS, LiveFaults
from local.function_names import API, CONSUMER
from local.output_file import NOT_WRITTEN, OutputError, OutputFile
from local.pipeline import Pipeline
from local.runtime.emulator import EmulatorError
from local.runtime.emulator import binary as emulator_binary
from local.runtime.reaper import Reaper
from local.shell_settings import shut_out
from local.simulator.feed import Feed
from local.simulator.flights import GeneratedTraffic
from local.simulator.server import TrackingStreamServer
from local.source.remote import RemoteStream, StreamAddress
from local.standard_output import surviving
from local.threads import ThreadWatch
from local.web.front_door import FrontDoor
from local.web.live_objects import LiveObjects
from local.web.server import WebServer
from local.web.static_files import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from local.audit.report import Report
    from local.cli.command_line import RunOptions
    from local.stack import Stack

REPOSITORY = Path(__file__).resolve().parent.parent
_TITLES = {"replay": "aircraft stream · a recording", "generated": "aircraft stream · generated traffic"}
_FROM_THE_BEGINNING = {"StartPosition": "BEGINNING"}
"""There is no checkpoint yet, and nothing that was sent before the first run may be passed over."""
_INCOMPLETE, _CANNOT_START, _INTERRUPTED = 1, 2, 130
_LAST_TOKENS = 0.5
"""Seconds between position tokens when the source has ended: the consumer stops at one."""
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(options: RunOptions, *, repository: Path = REPOSITORY) -> int:
    """Run as asked, show what happens, and return the exit code (see `local --help`)."""
    shut_out(os.environ)
    with surviving() as output:
        code = _run(options, Console(), repository)
        output.flush()
        if output.lost is not None:
            _complain(f"standard output: {output.lost.strerror}; what the run came to could not be shown")
            code = code or NOT_WRITTEN
    return code


def _run(options: RunOptions, console: Console, repository: Path) -> int:
    done, folder = False, None
    try:
        folder = None if options.out is None else DataFolder(options.out)
        with nullcontext() if options.report is None else OutputFile(options.report) as file:
            report = _Run(options, console, repository, folder).execute()
            show_report(console, report)
            done = True
            if file is not None:
                file.write(report.as_json())
    except (TemplateError, CloudError, EmulatorError, RunError) as error:
        _complain(str(error))
        return _CANNOT_START
    except (ClientError, BotoCoreError) as error:
        _complain(f"the local AWS does not do what it is asked for: {error}")
        return _INCOMPLETE
    except DataFolderError as error:
        _complain(f"--out: {error}")
        return _CANNOT_START if folder is None else NOT_WRITTEN
    except OutputError as error:
        _complain(f"--report: {error}")
        return NOT_WRITTEN if done else _CANNOT_START
    return report.exit_code


def _complain(text: str) -> None:
    Console(stderr=True).print(f"local: error: {text}", markup=False, highlight=False, soft_wrap=True)


class RunError(Exception):
    """The run cannot go on: a function does not start, or the local AWS is gone."""


class _Run:
    """One run. What it starts is entered into one exit stack, and ends with it in reverse order."""

    def __init__(self, options: RunOptions, console: Console, repository: Path, folder: DataFolder | None) -> None:
        self._folder = folder
        self._options = options
        self._console = console
        self._repository = repository
        self._stop = threading.Event()
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
            running.enter_context(self._signals())
            running.enter_context(self._threads)
            emulator_binary()
            web = running.enter_context(self._web()) if options.web else None
            self._console.print("[dim]Starting the local AWS and creating the stack from template.yaml ...[/dim]")
            self._cloud = cloud = Cloud()
            running.callback(cloud.stop)
            for note in getattr(options.source, "notes", ()):
                self._tell(note)
            faults = None if options.chaos is None else LiveFaults(options.chaos)
            feed, server, stack = self._create_stack(cloud, running, faults)
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
                path=os.environ.get("PATH", os.defpath),
                tell=self._tell,
                endpoint=None if faults is None else faults.before_aws(cloud.endpoint),
                reaper=running.enter_context(Reaper()),
                broken=lambda: self._broken(feed),
            )
            running.callback(pipeline.close)
            if web is not None:
                live = LiveObjects(cloud.client("s3"), stack.resources["DataBucket"])
                web.connect(live, FrontDoor(pipeline.functions[API].invoke))
            self._at_work = True
            if options.starts_now and isinstance(feed, Feed) and isinstance(feed.source, GeneratedTraffic):
                feed.replace(feed.source.starting_at(time.time() - 60 * options.delay))
            feed.start()
            pipeline.start()
            if faults is not None and server is not None:
                faults.start(
                    server,
                    pipeline.functions,
                    cloud.client("kinesis"),
                    stack.resources["UpdatesStream"],
                    pipeline.run_finished,
                )
            with View(self._console, pipeline.snapshot, _TITLES.get(options.source.kind, "aircraft stream")):
                self._wait_for(feed.finished, pipeline)
                feed.stop()
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
                self._tell(f"{kept:,} objects are in {self._folder.path}")
            return report

    def _create_stack(
        self, cloud: Cloud, running: contextlib.ExitStack, faults: LiveFaults | None
    ) -> tuple[Feed | RemoteStream, TrackingStreamServer | None, Stack]:
        """Return the stream that is read, its server if it is ours, and the stack that reads it."""
        options = self._options
        if isinstance(options.source, StreamAddress):
            remote = RemoteStream(options.source, options.duration)
            running.callback(remote.stop)
            return remote, None, self._create(cloud, options.source, {})
        feed = Feed(options.source, speed=options.speed, duration=options.duration, tell=self._tell)
        token = secrets.token_hex(16)
        server = running.enter_context(self._server(feed, token, faults))
        running.callback(feed.stop)
        parameters = _FROM_THE_BEGINNING | ({} if faults is None else faults.parameters)
        return feed, server, self._create(cloud, StreamAddress(server.url, token), parameters)

    def _server(self, feed: Feed, token: str, faults: LiveFaults | None) -> TrackingStreamServer:
        interval = self._options.token_interval
        if faults is None:
            return TrackingStreamServer(feed, token=token, token_interval=interval, last_interval=_LAST_TOKENS)
        return TrackingStreamServer(
            feed,
            token=token,
            token_interval=interval,
            last_interval=_LAST_TOKENS,
            keep_alive=KEEP_ALIVE_SECONDS,
            body=faults.upstream.body,
            refuse=faults.upstream.refuse,
        )

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

    def _create(self, cloud: Cloud, stream: StreamAddress, parameters: dict[str, str]) -> Stack:
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
                "StopWhenCaughtUp": str(options.stop_when_caught_up).lower(),
                **parameters,
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

    def _broken(self, feed: Feed | RemoteStream) -> str:
        """Return what broke so that nothing more can come of the run; a source that failed is only its end."""
        if self._cloud is not None and not self._cloud.alive:
            return "the local AWS (moto) has ended"
        return self._threads.failures[0] if self._threads.failed.is_set() and feed.failure is None else ""

    @staticmethod
    def _check(pipeline: Pipeline, cloud: Cloud, *, chaos: bool) -> None:
        if not cloud.alive:
            raise RunError("the local AWS (moto) ended in the middle of the run; nothing can be counted")
        if not chaos and (reason := pipeline.cannot_start()):
            raise RunError(reason)

    def _wait_for(self, finished: threading.Event, pipeline: Pipeline) -> None:
        while not finished.wait(0.1) and not self._stop.is_set() and not pipeline.broken():
            pass
        if self._stop.is_set():
            self._tell("Stopping in good order; Ctrl-C once more stops at once.")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Stop in good order at the first Ctrl-C, at once at the second; so too for SIGTERM and a closed terminal.

        Before anything is sent there is no order to keep: the first one ends the run.
        """
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
        if self._at_work and not self._stop.is_set():
            self._stop.set()
            return
        if self._pipeline is not None:
            self._pipeline.kill()
        if self._cloud is not None:
            self._cloud.kill()
        show_cursor = "\x1b[?25h" if sys.stdout.isatty() else ""
        os.write(2, f"{show_cursor}\nlocal: stopped at once; nothing was counted\n".encode())
        os._exit(_INTERRUPTED)
