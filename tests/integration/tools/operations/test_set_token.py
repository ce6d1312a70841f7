"""Setting the API token: in every shell, never shown, and with an answer for people when it cannot be stored."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from tools.operations import set_token

STACK, TOKEN = "aircraft-stream-test", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0"

TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def secret(aws):  # noqa: ARG001 - it sends boto3 to moto
    """The ARN of an empty secret that a stack names as its own."""
    arn = boto3.client("secretsmanager").create_secret(Name="token")["ARN"]
    topic = {"Type": "AWS::SNS::Topic"}
    template = {"Resources": {"Topic": topic}, "Outputs": {set_token.OUTPUT: {"Value": arn}}}
    boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(template))
    boto3.client("cloudformation").create_stack(
        StackName="another", TemplateBody=json.dumps({"Resources": {"Topic": topic}})
    )
    return arn


@pytest.fixture
def stored(secret):
    """What the secret holds, or None."""

    def read():
        client = boto3.client("secretsmanager")
        versions = client.describe_secret(SecretId=secret).get("VersionIdsToStages")
        return client.get_secret_value(SecretId=secret)["SecretString"] if versions else None

    return read


@pytest.fixture
def answer(secret, monkeypatch):  # noqa: ARG001 - the stack has to be there
    """Runs the command here, at a terminal at which this is typed."""
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": staticmethod(lambda: True)}))
    return lambda typed: set_token.main([STACK], ask=lambda _: typed)


@pytest.fixture
def command(aws, repository):
    """Runs the command in a separate process, with these variables and no others of AWS."""

    def run(*arguments, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        given = {"AWS_ENDPOINT_URL": aws, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": ""}
        given |= {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
        }
        environment |= given | variables
        environment = {name: value for name, value in environment.items() if value}
        return subprocess.run(
            [sys.executable, "-m", "tools.operations.set_token", *arguments],
            cwd=repository,
            env=environment,
            input=TOKEN,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "fish"])
def test_it_is_asked_for_and_not_shown(aws, secret, stored, repository, shell):
    """At its own terminal, from whatever shell is there."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    terminal, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, shell, "-c", f"{sys.executable} -m tools.operations.set_token {STACK}"],
        cwd=repository,
        env={**os.environ, "AWS_ENDPOINT_URL": aws},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    output = b""
    while b"not shown" not in output:
        output += os.read(terminal, 1000)
    os.write(terminal, TOKEN.encode() + b"\n")
    with suppress(OSError):  # Linux's way of saying that the other side is closed
        while piece := os.read(terminal, 1000):
            output += piece
    os.close(terminal)
    assert started.wait() == 0, output
    assert TOKEN.encode() not in output
    assert secret.encode() in output
    assert stored() == TOKEN


def test_a_script_pipes_it_in(command, stored):
    """Standard input that is no terminal is read to its end, and shown no more than what is typed."""
    finished = command(STACK)
    assert (finished.returncode, finished.stderr, stored()) == (0, "", TOKEN)
    assert TOKEN not in finished.stdout


def test_a_second_token_takes_the_place_of_the_first(command, stored):
    """A rotated token is set by the same command."""
    boto3.client("secretsmanager").put_secret_value(SecretId="token", SecretString="old")
    assert command(STACK).returncode == 0
    assert stored() == TOKEN


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "the token is empty; expected the bare token; nothing was stored"),
        (" \n", "the token is empty; expected the bare token; nothing was stored"),
        (f"Bearer {TOKEN}", "holds spaces, line ends, JSON"),
        (f'{{"token": "{TOKEN}"}}', "holds spaces, line ends, JSON"),
        (f"{TOKEN}\n{TOKEN}", "holds spaces, line ends, JSON"),
        ("tökén", "characters that no HTTP header takes"),
    ],
)
def test_what_is_no_token_is_not_stored(answer, stored, capsys, typed, said):
    """The consumer would refuse it at each run; the text does not hold it either."""
    assert answer(typed) == 1
    error = capsys.readouterr().err
    assert said in error
    assert TOKEN not in error
    assert stored() is None


@pytest.mark.parametrize(
    ("stack", "variables", "said"),
    [
        ("nope", {}, "stack nope: not found in us-east-1. Check the name"),
        ("another", {}, "stack another: is CREATE_COMPLETE and has no output"),
        (STACK, {"AWS_DEFAULT_REGION": ""}, "no region is set. Give --region"),
        (STACK, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials were found"),
        (STACK, {"AWS_PROFILE": "nope"}, "The config profile (nope) could not be found. Give --profile"),
        (STACK, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to the endpoint URL"),
    ],
)
def test_what_is_in_the_way_is_said_in_a_sentence(command, stored, stack, variables, said):
    """No traceback, nothing stored, and what to do about it."""
    finished = command(stack, **variables, AWS_MAX_ATTEMPTS="1")
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"set-token: {said}")
    assert len(finished.stderr.splitlines()) == 1
    assert stored() is None


def test_a_missing_permission_is_named(answer, monkeypatch, capsys):
    """Who may see the stack and not write the secret learns which permission that takes."""
    denied = '{"__type":"AccessDeniedException","Message":"not authorized"}'

    def refuse(**_):
        raw = type("Raw", (), {"stream": staticmethod(lambda: iter([denied.encode()]))})()
        return AWSResponse("http://x", 400, {}, raw)

    original = boto3.Session.client

    def client(self, name):
        made = original(self, name)
        made.meta.events.register("before-send.secretsmanager.PutSecretValue", refuse)
        return made

    monkeypatch.setattr(boto3.Session, "client", client)
    assert answer(TOKEN) == 1
    assert "The caller needs cloudformation:DescribeStacks and secretsmanager:PutSecretValue" in capsys.readouterr().err


def test_an_interrupt_is_no_traceback(answer, capsys, monkeypatch):
    """Ctrl-C stores nothing and says so."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(set_token, "read_token", interrupt)
    assert answer(TOKEN) == 130
    assert "interrupted; nothing was stored" in capsys.readouterr().err
