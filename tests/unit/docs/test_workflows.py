"""The workflows: what they run is there, and nobody can change what they take from others."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]


@pytest.fixture(scope="module")
def workflows(repository):
    """Each workflow's text, by its name."""
    found = {path.name: path.read_text() for path in (repository / ".github/workflows").glob("*.yml")}
    assert set(found) == {"check.yml", "deploy.yml"}
    return found


def test_every_action_is_pinned_by_a_hash(workflows):
    """A tag can be moved; the comment says which release the hash is of."""
    for name, text in workflows.items():
        uses = re.findall(r"uses: (\S+)(.*)", text)
        assert uses, name
        for action, comment in uses:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), (name, action)
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), (name, action)


def test_a_job_may_do_no_more_than_it_has_to(workflows):
    """Only the deployment may ask for a token that AWS takes."""
    allowed = {name: yaml_parse(text)["permissions"] for name, text in workflows.items()}
    assert allowed["check.yml"] == {"contents": "read"}
    assert allowed["deploy.yml"] == {"contents": "read", "id-token": "write"}


def test_what_is_typed_in_reaches_no_shell(workflows):
    """An input is in a variable of the environment, never in a command's text."""
    for name, text in workflows.items():
        for step in (step for job in yaml_parse(text)["jobs"].values() for step in job["steps"]):
            assert "${{" not in step.get("run", ""), (name, step)


def test_the_stages_are_samconfigs(workflows, repository):
    """What can be deployed to is an environment of samconfig.toml."""
    text = (repository / "samconfig.toml").read_text()
    [options] = re.findall(r"options: \[(.+)\]", workflows["deploy.yml"])
    assert set(options.split(", ")) == set(re.findall(r"^\[(\w+)\.deploy\.parameters\]", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("profile", "signed"), [("", []), ("ours", ["--signing-profiles"])], ids=["unsigned", "signed"]
)
def test_every_function_is_signed_if_a_profile_is_given(workflows, repository, profile, signed):
    """As docs/deploy.md does it by hand: with a profile left out for one, Lambda refuses its zip."""
    template = yaml_parse((repository / "template.yaml").read_text())["Resources"]
    functions = [name for name, one in template.items() if one["Type"] == "AWS::Serverless::Function"]
    [deploying] = [
        step["run"]
        for step in yaml_parse(workflows["deploy.yml"])["jobs"]["deploy"]["steps"]
        if "deploy" in step.get("run", "")
    ]
    printing = "pipenv() { printf '%s\\n' \"$@\"; }\n" + deploying
    environment = {"PATH": os.environ["PATH"], "ENVIRONMENT": "prod", "PROFILE": profile}
    said = subprocess.run(
        ["bash", "-euc", printing], env=environment, capture_output=True, text=True, check=True
    ).stdout
    given = said.splitlines()[said.splitlines().index("--no-fail-on-empty-changeset") + 1 :]
    assert sorted(given) == sorted(signed + [f"{name}={profile}" for name in functions if profile])
    [by_hand] = re.findall(r"^functions='(.+)'$", (repository / "docs/deploy.md").read_text(), re.MULTILINE)
    assert sorted(by_hand.split()) == sorted(functions)


def test_git_reads_the_checkout_in_a_container(workflows):
    """There the checkout is another user's than the job's: without a word git reads nothing, and a test is skipped."""
    jobs = [job for text in workflows.values() for job in yaml_parse(text)["jobs"].values()]
    gate = [[step.get("run", "") for step in job["steps"]] for job in jobs if "container" in job]
    for runs in (one for one in gate if ".ci/run" in one):
        before = runs[: runs.index(".ci/run")]
        assert 'git config --system --add safe.directory "$GITHUB_WORKSPACE"' in before


def test_the_commands_are_there(workflows, repository):
    """The scripts of this repository that are run."""
    for text in workflows.values():
        for script in re.findall(r"(\.ci/[\w-]+)", text):
            path = repository / script
            assert path.is_file(), script
            assert path.stat().st_mode & 0o111, script
