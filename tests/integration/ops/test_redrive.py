"""The command `ops redrive`: what it shows and asks, what it needs, and what its report says."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import redrive
from ops.command_line import main
from ops.errors import OpsError
from tests.support.failed_batches import BUCKET, KEY, STACK, STREAM, client, failure, in_stream, left, put, run, updates


def test_without_confirm_nothing_happens(s3, kinesis, capsys):
    """It says what it would do, and does none of it."""
    put(s3, "one", failure(updates(3)))
    assert run("--delete") == 0
    assert in_stream(kinesis) == []
    assert left(s3) == 1
    output = capsys.readouterr().out
    assert "3 records of Alerts. RetryAttemptsExhausted: 51 attempts, the last one with Unhandled" in output
    assert "nothing was changed" in output


def test_the_messages_can_be_seen_first(s3, capsys):
    """The first of each object, as they are in the stream."""
    put(s3, "one", failure(updates(3)))
    assert run("--show", "2") == 0
    assert capsys.readouterr().out.count('{"n":') == 2


def test_of_a_message_without_end_the_beginning_is_shown(s3, capsys):
    """A megabyte on a terminal, or in a script's log, tells nobody anything."""
    put(s3, "one", failure(updates(1, size=1_000_000)))
    assert run("--show", "1") == 0
    (shown,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith('    {"n":')]
    assert len(shown) <= 2_010
    assert shown.endswith("x…")


def test_what_is_in_the_stream_is_not_sent_again(s3, kinesis, capsys):
    """Redriving twice is redriving once; an object that came meanwhile goes."""
    put(s3, "one", failure(updates(3)))
    assert run("--confirm") == 0
    put(s3, "two", failure(updates(2)))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == updates(3) + updates(2)
    assert "/one: in the stream since 20" in capsys.readouterr().out
    assert run("--confirm", "--again", "--prefix", KEY.format("one")) == 0
    assert len(in_stream(kinesis)) == 8


def test_one_function_alone(s3, kinesis):
    """Named as people name it."""
    put(s3, "one", failure(updates(3)))
    assert run("--confirm", "--function", "aggregator") == 0
    assert in_stream(kinesis) == []
    assert run("--confirm", "--function", "alerts") == 0
    assert in_stream(kinesis) == updates(3)


def test_only_the_prefix_asked_for(s3, kinesis):
    """One function's objects can be redriven without another's."""
    put(s3, "one", failure(updates(1)))
    s3.put_object(Bucket=BUCKET, Key="aws/lambda/other/two", Body=failure(updates(2)))
    assert run("--confirm", "--prefix", "aws/lambda/other/") == 0
    assert in_stream(kinesis) == updates(2)


def test_it_asks_before_it_acts(deployed, capsys, monkeypatch):
    """Nobody who could answer is there: nothing happens, and it is said how to go on."""
    put(deployed, "one", failure(updates(1)))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["redrive", "--stack", STACK, "--confirm"]) == 2
    assert "Give --yes as well" in capsys.readouterr().err
    assert in_stream(client("kinesis")) == []


@pytest.mark.usefixtures("kinesis")
def test_the_report_says_what_became_of_each_object(s3, tmp_path, capsys):
    """As a file, and as JSON on standard output."""
    put(s3, "1-odd", "")
    put(s3, "2-fine", failure(updates(2)))
    assert run("--confirm", "--json", "--report", str(tmp_path / "report.json")) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    assert (report["records"], report["kept"]) == (2, 1)
    assert [("problem" in one, one.get("sent")) for one in report["objects"]] == [(True, None), (False, True)]


@pytest.mark.parametrize("place", ["/dev/full", "no/such/folder/report.json"])
def test_a_report_that_cannot_be_written_stops_the_work_before_it_begins(s3, kinesis, place):
    """Nothing is sent, and the error says where the report could not go."""
    put(s3, "one", failure(updates(2)))
    with pytest.raises(OpsError, match=f"--report .*{place}.*Nothing was done"):
        run("--confirm", "--report", place)
    assert in_stream(kinesis) == []


@pytest.mark.usefixtures("s3")
def test_a_stack_that_is_not_there_is_named(capsys):
    """With what to do."""
    assert main(["redrive", "--stack", "nope"]) == 2
    assert "ops: stack nope: not found in us-east-1. Check the name" in capsys.readouterr().err


def test_a_stream_that_is_not_there_is_named(deployed, capsys):
    """It is the same for every object: it ends there, and keeps them all."""
    put(deployed, "one", failure(updates(1)))
    put(deployed, "two", failure(updates(1)))
    client("kinesis").delete_stream(StreamName=STREAM)
    assert main(["redrive", "--stack", STACK, "--yes", "--confirm", "--delete"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert left(deployed) == 2


def command(environment, *options, stdout=subprocess.PIPE):
    """Run the command in a separate process, with this environment and no other settings of AWS."""
    nowhere = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "ops", "redrive", "--stack", STACK, "--yes", *options],
        env=plain | nowhere | {"AWS_EC2_METADATA_DISABLED": "true"} | environment,
        cwd=Path(redrive.__file__).parents[1],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
REGION = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (KEYS, "no region is set. Give --region"),
        (REGION, "no AWS credentials were found. Give --profile"),
        (REGION | {"AWS_PROFILE": "nope"}, "The config profile (nope) could not be found. Give --profile"),
    ],
    ids=["no region", "no credentials", "no profile"],
)
def test_what_aws_needs_is_asked_for_in_a_sentence(environment, said):
    """No traceback, and an exit code that says that nothing went."""
    done = command(environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ops: {said}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("reader", ["full", "gone"])
def test_an_output_that_cannot_be_written_stops_no_record(aws, deployed, reader):
    """The records go to the end; a full disk is reported and counts, a reader that has seen enough does not."""
    for name in range(3):
        put(deployed, f"{name}", failure(updates(2)))
    if reader == "full":
        stdout = os.open("/dev/full", os.O_WRONLY)
    else:
        left_open, stdout = os.pipe()
        os.close(left_open)
    done = command(KEYS | REGION | {"AWS_ENDPOINT_URL": aws}, "--confirm", stdout=stdout)
    os.close(stdout)
    assert done.returncode == (1 if reader == "full" else 0)
    assert ("No space left on device" in done.stderr) is (reader == "full")
    assert "Traceback" not in done.stderr
    assert len(in_stream(client("kinesis"))) == 6
