"""`python -m local`, as a person runs it: the result, the exit code, and what is left behind, which is nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import running
from local.cli.command_line import parse
from local.cli.main import main
from local.run_options import RunOptions
from local.runtime import processes
from local.simulator import times
from local.source.simulated import SimulatedSource
from tests.support.conditions import wait_until
from tests.support.hostile_shell import HOSTILE

_TIMEOUT = 100


class LocalRun:
    """A run in a separate process, in a folder and with a folder for temporary files of its own."""

    def __init__(self, repository, folder, *arguments, **variables):
        self.report_path = folder / "report.json"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._output = (folder / "output").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local", "--unlisted", "--report", str(self.report_path), *arguments],
            cwd=folder,
            env=os.environ
            | {"PYTHONPATH": str(repository), "TMPDIR": str(self.temporary), "COLUMNS": "120"}
            | {"TERM": "dumb", **variables},
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.family = set()

    def look(self):
        """Note which processes the run has started by now."""
        self.family |= processes.descendants(self.process.pid)
        return self.family

    def output(self):
        return Path(self._output.name).read_text()

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)

    def end(self):
        code = self.process.wait(_TIMEOUT)
        self._output.close()
        return code

    @property
    def report(self):
        return json.loads(self.report_path.read_text())

    def assert_nothing_is_left(self):
        def left():
            return [pid for pid in self.family if processes.alive(pid)]

        wait_until(lambda: not left(), lambda: [processes.command_line(pid) for pid in left()])
        assert list(self.temporary.iterdir()) == []


def wait_for_functions(*runs):
    """Wait until each run has moto, the reaper and two emulators with runtimes: the consumer and another function."""
    gives_up = time.monotonic() + _TIMEOUT
    while min([len(run.look()) for run in runs]) < 6:
        assert time.monotonic() < gives_up, runs[0].output()
        time.sleep(0.1)  # a look reads of all of the machine's processes


@pytest.fixture
def local_run(repository, tmp_path):
    """Start runs; one that is still there when the test ends is killed with all it started."""
    runs = []

    def start(*arguments, **variables):
        folder = tmp_path / f"run{len(runs)}"
        folder.mkdir()
        runs.append(LocalRun(repository, folder, *arguments, **variables))
        return runs[-1]

    yield start
    for run in runs:
        for pid in [run.process.pid, *run.look()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.process.wait()
        run._output.close()


@pytest.fixture
def simulator(repository, tmp_path):
    """A Tracking Stream in a separate process, with the address that it prints; its API token is `TOKEN`."""
    arguments = ["--port", "0", "--token", TOKEN, "--rate", "40", "--aircraft", "40", "--token-interval", "0.3"]
    process = subprocess.Popen(
        [sys.executable, "-m", "local.simulator", *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(repository)},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process.stdout.readline().split()[5]
    process.terminate()
    process.communicate()


TOKEN = "s3cret-API-token"

SHORT = ("--window", "2", "--token-interval", "0.3", "--rate", "40", "--aircraft", "40", "--no-archive")
"""Few aircraft: at each window's end the state of each is written, one by one, into a table that moto plays."""

AS_SENT = {"lost": 0, "duplicates": 0, "out_of_order": 0, "unexpected": 0}
"""What the report says of Kinesis, beside how many updates it has."""

WINDOWS = 6
"""Of two seconds and 40 updates a second, on how many shards ever: their ends have seen more than 100 updates."""


def test_two_runs_go_on_side_by_side_and_lose_nothing(local_run):
    """Generated traffic through the whole system, twice at a time: figures that agree, and nothing left.

    One reads periodically, and a stream that is four hours late. The other reads all the time, until the first Ctrl-C,
    which ends it in good order: it stops at a token, counts, and writes its report.
    """
    visits = ("--schedule", "1-minute", "--stop-when-caught-up", "--rate", "2", "--speed", "20", "--delay", "240")
    visiting = local_run(*SHORT, "--duration", "4", *visits)
    endless = local_run(*SHORT, "--duration", "0", "--seed", "1", "--verbose")
    wait_for_functions(visiting, endless)
    wait_until(lambda: endless.output().count("window closed") >= WINDOWS)
    endless.interrupt()
    for run in (visiting, endless):
        assert run.end() == 0, run.output()
        report = run.report
        sent = report["source"]["updates"]
        assert report["source"]["kind"] == "generated"
        assert sent > 100
        assert report["kinesis"] == {"updates": sent, **AS_SENT}
        assert report["aggregator"]["updates"] == sent
        assert report["archive"] is None  # it was not asked for
        assert report["consumer"]["graceful_stops"] == report["consumer"]["invocations"] >= 1
        assert report["consumer"]["hard_stops"] == 0
        assert (report["rejected"], report["dead_letters"]) == (0, 0)
        assert "Nothing was lost." in run.output()
        assert "Traceback" not in run.output()
        run.assert_nothing_is_left()


def test_a_stream_served_by_others_is_read(local_run, simulator, tmp_path):
    """From another process, as the provider's would be; what it sent is not known, and its token is shown nowhere."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    options = ("--window", "2", "--no-archive", "--verbose", "--duration", "0")
    run = local_run("--stream-url", simulator, "--token-file", str(file), *options)
    wait_until(lambda: "window closed" in run.output())
    run.interrupt()

    assert run.end() == 0, run.output()
    assert run.report["source"] == {"kind": "stream", "updates": None, "connections": None}
    kinesis = run.report["kinesis"]
    assert kinesis["updates"] == run.report["aggregator"]["updates"] > 0
    assert kinesis == {"updates": kinesis["updates"], **AS_SENT, "lost": None, "out_of_order": None}
    assert run.report["consumer"]["hard_stops"] == 0
    assert "Nothing that came into Kinesis was lost." in run.output()
    assert "GB for each million updates" in run.output()
    assert TOKEN not in run.output() + run.report_path.read_text()


def test_envelopes_carry_the_same_updates_through_several_runs(local_run):
    """The other record format: few records hold all, and every function counts what is in them.

    A short timeout makes several runs that all end at a token: the consumer's work goes on in the next invocation where
    the last one stopped, and nothing is sent twice. On a machine on which a function takes seconds to start, a timeout
    of eight leaves no time to read: there with more. The shell has settings for AWS that would end the run; they do not
    reach it.
    """
    few = ("--rate", "2", "--aircraft", "10", "--speed", "20", "--record-format", "envelope")
    for timeout in (8, 32):
        duration = timeout * 3 / 2
        run = local_run(*SHORT, *few, "--duration", str(duration), "--consumer-timeout", str(timeout), **HOSTILE)
        code = run.end()
        report = run.report
        consumer = report["consumer"]
        if consumer["graceful_stops"] == consumer["invocations"]:
            break
    assert code == 0, run.output()
    assert consumer["invocations"] == consumer["graceful_stops"] >= 2
    sent = report["source"]["updates"]
    assert report["kinesis"] == {"updates": sent, **AS_SENT}
    assert report["aggregator"]["updates"] == sent
    assert 0 < report["envelopes"]["records"] < sent  # how few depends on how busy the machine is
    assert report["envelopes"]["misplaced"] == 0
    assert report["updates_per_second"] > 0


def test_the_recording_at_full_speed_arrives_whole(local_run, recording):
    """All 5,680 real updates, in Kinesis and in the window rows, each once and in order."""
    run = local_run("--replay", str(recording), "--speed", "max", "--window", "5")
    assert run.end() == 0, run.output()
    report = run.report
    assert report["source"] == {"kind": "replay", "updates": 5680, "connections": report["source"]["connections"]}
    assert report["kinesis"] == {"updates": 5680, **AS_SENT}
    assert report["aggregator"]["updates"] == 5680
    assert report["consumer"]["hard_stops"] == 0


def test_lines_that_the_consumer_rejects_are_no_loss(local_run, tmp_path):
    """They are kept, with the reason; neither Kinesis nor the archive has to hold them."""
    recording = tmp_path / "updates.ndjson"
    update = '{"target":{"icao_address":"%s","timestamp":"2024-03-04T%s","ingestion_time":"2024-03-04T%s"}}\n'
    times = [f"23:24:0{second}Z" for second in range(5)]
    recording.write_text("".join(update % ("" if time == times[2] else "ABC123", time, time) for time in times))
    run = local_run("--replay", str(recording), "--speed", "max", "--window", "2")
    assert run.end() == 0, run.output()
    assert run.report["rejected"] == 1
    assert run.report["kinesis"] == {"updates": 4, **AS_SENT}
    assert run.report["archive"] == {"hours": 1, "updates": 4, "missing": 0, "doubled": 0, "unexpected": 0}


def test_a_ctrl_c_before_anything_is_sent_ends_the_run_at_once(local_run):
    """There is no order to keep yet: exit code 130, no report, and nothing left."""
    run = local_run(*SHORT, "--duration", "0")
    wait_until(lambda: "Starting the local AWS" in run.output())
    run.look()
    run.interrupt()
    assert run.end() == 130
    assert not run.report_path.exists()
    assert "Traceback" not in run.output()
    run.assert_nothing_is_left()


def test_a_local_aws_that_ends_ends_the_run(local_run):
    """Nothing can be counted any more: one sentence says so, and nothing is waited for."""
    run = local_run(*SHORT, "--duration", "0")
    wait_for_functions(run)
    (aws,) = [pid for pid in run.look() if b"local.aws.moto_server" in processes.command_line(pid)]
    os.kill(aws, signal.SIGKILL)
    assert run.end() == 2, run.output()
    assert "local: error: the local AWS (moto) ended in the middle of the run" in run.output()
    run.assert_nothing_is_left()


def test_a_second_ctrl_c_ends_the_run_at_once(local_run):
    """No report, exit code 130, no traceback, and still no process left.

    The local AWS stands still, so that no run can come to a good end before the second.
    """
    run = local_run(*SHORT, "--duration", "0")
    wait_for_functions(run)
    (aws,) = [pid for pid in run.look() if b"local.aws.moto_server" in processes.command_line(pid)]
    os.kill(aws, signal.SIGSTOP)
    run.interrupt()
    wait_until(lambda: "press Ctrl-C again to stop at once" in run.output())
    run.look()
    run.interrupt()
    assert run.end() == 130
    assert not run.report_path.exists()
    assert "Traceback" not in run.output()
    run.assert_nothing_is_left()


def test_a_run_that_is_killed_leaves_nothing_either(local_run):
    """SIGKILL leaves a run no moment to end anything: moto, emulators and runtimes end all the same."""
    run = local_run(*SHORT, "--duration", "0")
    wait_for_functions(run)
    os.kill(run.process.pid, signal.SIGKILL)
    assert run.end() == -signal.SIGKILL
    run.assert_nothing_is_left()


def test_faults_on_purpose_lose_nothing(local_run):
    """`--chaos`: what went wrong is named at the end, and the ledger still agrees.

    The seed's faults have shards that change and two consumers at once among them.
    """
    few = ("--window", "2", "--rate", "5", "--aircraft", "20", "--speed", "60", "--duration", "3")
    run = local_run(*few, "--seed", "5", "--chaos", "45", "--no-archive")
    assert run.end() == 0, run.output()
    report = run.report
    assert (report["kinesis"]["lost"], report["kinesis"]["out_of_order"], report["dead_letters"]) == (0, 0, 0)
    printed = run.output().partition("went wrong on purpose: ")[2].partition("\n")[0]
    assert "shard_split" in printed
    assert "cut_line" in printed
    assert "two_at_once_ConsumerFunction 1" in printed
    run.look()
    run.assert_nothing_is_left()


@pytest.fixture
def run_of_template(repository, tmp_path, monkeypatch, capsys):
    """Make a run to its end, in this process, of the repository with another template; gives its code and output."""

    def run(template, *arguments):
        (tmp_path / "src").symlink_to(repository / "src")
        (tmp_path / "template.yaml").write_text(template)
        monkeypatch.setenv("COLUMNS", "120")
        code = main(parse(list(arguments)), repository=tmp_path)
        return code, capsys.readouterr()

    return run


def test_a_function_that_cannot_start_ends_the_run_and_says_why(repository, run_of_template):
    """A consumer that cannot even be imported: the first try is the last, and its own words say why."""
    template = (repository / "template.yaml").read_text()
    code, printed = run_of_template(
        template.replace("Handler: consumer.handler.handler", "Handler: consumer.nothing"),
        *("--rate", "20", "--duration", "0", "--window", "2"),
    )
    assert code == 2, printed
    assert "local: error: ConsumerFunction (consumer.nothing) cannot start: Runtime." in printed.err
    assert "\n    [ERROR] Runtime." in printed.err
    assert "Lost" not in printed.out


class DyingSource:
    """Sends some updates, and fails."""

    kind, endless, start, identity = "dying", False, times.parse("2024-03-04T23:24:00Z"), "dying"

    def __init__(self, updates):
        self._updates = updates

    def updates(self):
        for number in range(self._updates):
            moment = times.with_milliseconds(round((self.start + number) * 1000))
            target = {"icao_address": "ABC123", "timestamp": moment, "ingestion_time": moment}
            yield self.start + number, json.dumps({"target": target}).encode()
        raise ValueError("year 10000 is out of range")


def test_a_source_that_dies_is_no_end(tmp_path, capsys):
    """What it had sent is brought to its end and counted; the run has failed all the same."""
    report = tmp_path / "report.json"
    options = RunOptions(
        source=SimulatedSource(traffic=DyingSource(20), speed=100, token_interval=0.3),
        duration=None,
        window=2,
        report=report,
        archive=False,
    )
    assert main(options) == 1
    printed = capsys.readouterr().out
    assert "the thread 'feed' ended with an error: ValueError: year 10000 is out of range" in printed
    assert "The run did not come to its proper end" in printed
    assert "Nothing was lost" not in printed
    assert json.loads(report.read_text())["kinesis"] == {"updates": 20, **AS_SENT}


def test_a_run_in_which_nothing_was_sent_says_so(capsys):
    """Neither a loss, nor proof of anything. A listed run is found while it goes on, and not afterwards."""
    traffic = Nothing()
    source = SimulatedSource(traffic=traffic, speed=100, token_interval=0.3)
    assert main(RunOptions(source=source, duration=None, window=2, archive=False, listed=True)) == 0
    assert traffic.beside - set(running.endpoints())
    printed = capsys.readouterr().out
    assert "The source sent no update" in printed
    assert "Nothing was lost" not in printed


class Nothing(DyingSource):
    """Sends nothing."""

    def __init__(self):
        super().__init__(0)
        self.beside = set()

    def updates(self):
        self.beside = set(running.endpoints())
        yield from ()


def test_a_report_that_cannot_be_written_is_refused_before_the_run(capsys):
    """Exit code 2 as for any wrong option, and nothing was started."""
    options = RunOptions(
        source=SimulatedSource(traffic=Nothing(), token_interval=1), duration=1, report=Path("/dev/full")
    )
    assert main(options) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("local: error: --report: /dev/full: cannot be written: No space left on device")
    assert printed.out == ""


def test_records_given_up_that_no_destination_takes_are_a_loss(repository, run_of_template):
    """Alerts that fail for good, before a bucket that is not there: all else adds up, and nothing else would tell."""
    template = (repository / "template.yaml").read_text()
    for old, new in (
        ("Handler: alerts.handler.handler", "Handler: json.loads"),  # starts, and raises on any event
        ("Destination: !GetAtt FailuresBucket.Arn", "Destination: arn:aws:s3:::no-such-bucket"),
        ("MaximumRetryAttempts: 50", "MaximumRetryAttempts: 0"),
    ):
        assert old in template
        template = template.replace(old, new)
    few = ("--rate", "5", "--aircraft", "10", "--speed", "60", "--duration", "2", "--window", "2", "--no-archive")
    code, printed = run_of_template(template, *few, "--emergency")
    assert code == 1, printed
    assert printed.out.count("Lost: ") == 1, printed.out
    assert "records were given up, and no on-failure destination took them." in printed.out
    assert "Nothing was lost" not in printed.out


def test_a_template_that_does_not_translate_is_refused(run_of_template):
    """Exit code 2 and one sentence: the file, the resource, what to do."""
    code, printed = run_of_template("Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {}}}")
    assert code == 2
    assert printed.err.startswith("local: error: ")
    assert "template.yaml: does not translate" in printed.err
    assert "[F]" in printed.err
    assert "Traceback" not in printed.err
