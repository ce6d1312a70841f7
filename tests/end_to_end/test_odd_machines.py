"""Commands on odd machines: each answers with a sentence and its exit code, and leaves no process and no file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.odd_machine import CONDITIONS, NOT_PERMITTED

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there."""

COMMANDS = {
    "local": ["local", "--unlisted", "--duration", "1"],
    "chaos": ["chaos", "--schedules", "1"],
    "bench": ["bench", "--quick"],
    "simulator": ["simulator", "--token", "secret"],
    "feeder": ["feeder", "--sbs", "127.0.0.1:9", "--serve", "0", "--token", "secret"],
    "record": ["record", "--url", f"{NOWHERE}/", "--token-file", "TOKEN", "--out", "/proc/updates.ndjson.gz"],
    "query": ["query", "busiest", "--on", "/proc/nowhere"],
    "ops status": ["ops", "status", "--local", NOWHERE],
    "ops tail": ["ops", "tail", "updates", "--local", NOWHERE],
    "ops redrive": ["ops", "redrive", "--stack", "nowhere"],
    "ops drain": ["ops", "drain", "--local", NOWHERE],
    "ops doctor": ["ops", "doctor", "--stack", "nowhere"],
    "ops explain-filter": ["ops", "explain-filter", '{"data":{"squawk":["7700"]}}', "RECORDS"],
    "ops plan": ["ops", "plan", "--check", "TEMPLATE"],
    "set-token": ["set-token", "nowhere"],
    "page-password": ["page-password"],
}
NEVER_ENDING = {"local", "chaos", "bench", "simulator", "feeder"}
"""They would go on for long: tried where they have to refuse."""
ONLY_ON = {
    **dict.fromkeys(("ops tail", "ops redrive", "ops drain", "ops doctor"), ("an empty environment", "no loopback")),
    "set-token": ("an empty environment", "no loopback"),
    "ops plan": ("an empty environment", "a full disk"),
    "query": ("an empty environment", "nowhere to write"),
}
"""By the same code they say what others do: they are tried where they differ most."""
REFUSED = {
    "no loopback": (NEVER_ENDING, "127.0.0.1 cannot be reached on this machine: Network is unreachable"),
    "few files": ({"local", "chaos", "bench"}, "a process may open 48 files here; expected at least 64"),
    "little memory": ({"local", "chaos", "bench"}, "a process may use 1,024 MiB of addresses here"),
    "nowhere to write": ({"local", "chaos", "bench"}, "nothing can be written to /proc/nowhere"),
}
SHOWN_NOTHING = {"simulator", "feeder", "ops explain-filter", "ops plan", "page-password"}
"""Their result is what they print."""
OK = {"ops explain-filter": 0, "ops plan": 0, "page-password": 0, "query": 1, "record": 1, "set-token": 1}
"""Exit codes on any machine where they can do it, or say that what they are asked for is not there; 2 otherwise."""


def expected(name, condition):
    """The exit code, and the text that says why; None where the command would not end."""
    names, text = REFUSED.get(condition, (set(), ""))
    if name in names:
        return 1 if name == "feeder" else 2, text
    if name in SHOWN_NOTHING and condition == "closed streams":
        return 2, "standard output: Bad file descriptor"
    if name in SHOWN_NOTHING and condition == "a full disk":
        return 2, "standard output: No space left on device"
    return None if name in NEVER_ENDING else (OK.get(name, 2), "")


CASES = [
    (name, condition)
    for name in COMMANDS
    for condition in ONLY_ON.get(name, CONDITIONS)
    if expected(name, condition) is not None
]


@pytest.fixture(scope="module")
def results(repository, tmp_path_factory):
    """What became of each case."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "token").write_text("secret")
    (folder / "records.ndjson").write_text('{"target":{"icao_address":"ABC123","squawk":"7700","callsign":"Zürich"}}\n')
    temporary = folder / "temporary"
    temporary.mkdir()
    files = {
        "TOKEN": str(folder / "token"),
        "RECORDS": str(folder / "records.ndjson"),
        "TEMPLATE": str(repository / "template.yaml"),
    }
    cases = []
    for name, condition in CASES:
        command, *arguments = COMMANDS[name]
        cases.append((command, [files.get(argument, argument) for argument in arguments], condition))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.odd_machine", json.dumps(cases)],
        cwd=repository,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(repository), "HOME": str(folder), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(temporary.iterdir()) == []
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(("name", "condition"), CASES, ids=["-".join(case).replace(" ", "_") for case in CASES])
def test_a_sentence_and_an_exit_code(results, name, condition):
    """What happened and what to do; no traceback, and nothing left."""
    result = results[name, condition]
    if NOT_PERMITTED in result["err"]:
        pytest.skip("this user may make no network namespace")
    code, text = expected(name, condition)
    assert "Traceback" not in result["out"] + result["err"]
    assert (result["code"], text in " ".join(result["err"].split())) == (code, True), result
    assert result["err"] if code else result["out"] or condition in {"closed streams", "a full disk"}
    assert not result["left"]
