"""Every example that the help or a page shows works as it is there, against one stack.

A name stands for the stack that runs, a file for one that was made; what goes on until Ctrl-C gets it at once.
"""

from __future__ import annotations

import gzip
import importlib
import io
import json
import re
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.aws.moto import OPERATOR, REGION, credentials
from ops import command_line, drain, status, tail
from ops.plan import alerts, choice, variants
from ops.plan.simulation import simulate

PAGES = ("README.md", "docs/ops.md", "docs/plan.md", "docs/deploy.md", "docs/operations/README.md")
_LINE = re.compile(r"^ *pipenv run ops (.+)$", re.MULTILINE)
_CODE = re.compile(r"`pipenv run ops (\w[^`]*--stack[^`]*)`")
_TOLD = re.compile(r" {2,}[^ #'].*$|\s+#\s.*$")
_NAMES = {"NAME", "$stack", "aircraft-stream", "aircraft-stream-dev"}
INTERRUPTED = 130


def examples(text):
    """The commands in a text, without what is said beside them."""
    return [_TOLD.sub("", one).strip() for one in [*_LINE.findall(text), *_CODE.findall(text)]]


def all_examples(root):
    """Every example once: those of the help, those of the pages."""
    modules = [importlib.import_module(path) for path, _ in (command_line._OF_A_STACK | command_line._OTHERS).values()]
    texts = [command_line._EPILOG, *(module.EXAMPLES for module in modules)]
    texts += [(root / page).read_text() for page in PAGES]
    found = {}
    for one in (one for text in texts for one in examples(text) if "COMMAND" not in one and "..." not in one):
        found.setdefault(tuple(named(one, "local", "")), one)  # the same but for a stack's name is tried once
    return list(found.values())


def named(example, stack, local):
    """The words of an example, with the names of the stack that is there."""
    for word in shlex.split(example):
        yield stack if word in _NAMES else word
        if word == "--local":
            yield local


EXAMPLES = all_examples(Path(__file__).resolve().parents[3])


class Typed(io.StringIO):
    """What a person types."""

    def isatty(self):
        return True


class HurriedClock:
    """A clock that goes on by what somebody waits."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


def simulated_shortly(*load, **settings):
    """Two seconds of a load rather than two minutes."""
    return simulate(*load, **settings | {"seconds": 2.0})


def interrupted(_seconds):
    """What somebody does who has seen enough."""
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """The files that examples name."""
    made = tmp_path_factory.mktemp("examples")
    begin = datetime(2024, 3, 4, 23, tzinfo=UTC)
    lines = [
        json.dumps(
            {
                "icao_address": f"A4F0{number % 50:02X}",
                "timestamp": (begin + timedelta(seconds=number)).isoformat(),
                "squawk": "7700" if number == 7 else "1200",
                "altitude_baro": 100 * number,
            }
        ).encode()
        for number in range(120)
    ]
    text = b"\n".join(lines) + b"\n"
    (made / "updates.ndjson").write_bytes(text)
    for name in ("updates.ndjson.gz", "raw.ndjson.gz"):
        (made / name).write_bytes(gzip.compress(text))
    (made / "pattern.json").write_text('{"data":{"squawk":["7700"]}}')
    (made / "template.yaml").symlink_to(repository / "template.yaml")
    return made


@pytest.fixture(scope="module")
def measured_stack(made_stack):
    """The stack with empty buckets, and with a minute of the metrics that a plan is made from."""
    made_stack.clear()
    dimensions = [{"Name": "service", "Value": "consumer"}]
    published = {"MetricName": "UpdatesPublished", "Dimensions": dimensions, "Value": 3_000.0}
    made_stack.client("cloudwatch").put_metric_data(
        Namespace="AircraftStream", MetricData=[published | {"Timestamp": datetime.now(UTC) - timedelta(minutes=5)}]
    )
    return made_stack


@pytest.fixture
def run(measured_stack, folder, monkeypatch, capsys):
    """A function that runs an example as somebody with an account's credentials does; gives code, output and errors.

    `drain` leaves the schedule off, on purpose: it is on again afterwards.
    """
    settings = credentials(OPERATOR) | {
        "AWS_ENDPOINT_URL": measured_stack.endpoint,
        "AWS_REGION": REGION,
        "COLUMNS": "100",
    }
    for name, value in (settings | {"AWS_DEFAULT_REGION": REGION}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tail.follow, "__kwdefaults__", tail.follow.__kwdefaults__ | {"pause": interrupted})
    monkeypatch.setattr(status, "time", SimpleNamespace(sleep=interrupted))
    monkeypatch.setattr(drain, "SystemClock", HurriedClock)
    monkeypatch.setattr(sys, "stdin", Typed("yes\n"))
    for module in (alerts, choice, variants):  # what is said of a load is tried elsewhere (test_plan.py)
        monkeypatch.setattr(module, "simulate", simulated_shortly)

    def do(example):
        command, _, pipe = example.partition(" | ")
        code = command_line.main(list(named(command, "local", measured_stack.endpoint)))
        said = capsys.readouterr()
        return code, said.out, said.err, pipe

    yield do
    measured_stack.client("events").enable_rule(Name=measured_stack.resources["ConsumerSchedule"].rpartition("/")[2])


def test_the_help_and_the_pages_have_examples():
    """Of every command one at least, and of both kinds of stack."""
    commands = {one.split()[0] for one in EXAMPLES}
    assert commands == {*command_line._OF_A_STACK, *command_line._OTHERS}
    assert any("--local" in one for one in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_works_as_it_is_there(run, example):
    """It is done, whatever it finds, and says something; what is piped on is JSON with the field asked for."""
    code, out, err, pipe = run(example)
    goes_on = "--watch" in example or (example.startswith("tail") and "--once" not in example)
    assert code in ({INTERRUPTED} if goes_on else {0, 1}), err
    assert "Traceback" not in out + err
    assert out.strip() or example.startswith("tail"), "nothing was said"
    if pipe:
        [field] = re.findall(r"^jq '?\.(\w+)", pipe)
        assert field in json.loads(out)
