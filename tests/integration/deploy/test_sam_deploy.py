"""`sam deploy` with this project's samconfig.toml: the real command, up to the change set that it asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.recording_cloudformation import recording_cloudformation


@pytest.fixture
def cloudformation():
    """What `sam` talks to in place of AWS."""
    with recording_cloudformation() as record:
        yield record


@pytest.fixture
def checkout(repository, tmp_path):
    """A folder with what `sam` reads of this one, and no build."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy2(repository / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def built(checkout):
    """The same after `sam build`, whose functions are one empty file each."""
    build = checkout / ".aws-sam" / "build"
    text = (checkout / "template.yaml").read_text()
    assert text.count("    CodeUri: .\n") == 1
    (build / "Function").mkdir(parents=True)
    (build / "Function" / "handler.py").touch()
    (build / "template.yaml").write_text(text.replace("    CodeUri: .\n", "    CodeUri: Function\n"))
    return checkout


@pytest.fixture
def sam(cloudformation):
    """Runs `sam` in a folder, with no more of AWS than `cloudformation`; gives what it ended with."""

    def run(folder, *arguments):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": cloudformation.address,
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(folder / ".sam"),
        }
        command = [str(Path(sys.executable).with_name("sam")), *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return run


def said(finished):
    """Everything that a command printed."""
    return finished.stdout + finished.stderr


def with_parameters(checkout, text):
    """Put `text` in place of the first environment's parameters."""
    config = checkout / "samconfig.toml"
    before, header, after = config.read_text().partition("[default.deploy.parameters.parameter_overrides]\n")
    config.write_text(before + header + text + after[after.index("\n[") :])


def test_every_parameter_arrives_as_it_is_written(built, sam, cloudformation):
    """Numbers and texts, and nothing but what is named; what is uploaded lies under the stack's own prefix."""
    sam(built, "deploy", "--no-confirm-changeset")
    [change_set] = cloudformation.change_sets
    config = tomllib.loads((built / "samconfig.toml").read_text())["default"]
    written = config["deploy"]["parameters"]["parameter_overrides"]
    assert cloudformation.parameters() == {name: str(value) for name, value in written.items()}
    assert change_set["StackName"] == config["global"]["parameters"]["stack_name"]
    assert cloudformation.objects
    assert all(f"/{config['deploy']['parameters']['s3_prefix']}/" in key for key in cloudformation.objects)


@pytest.mark.parametrize("page", ["README.md", "docs/feeds.md"])
def test_the_parameters_that_a_page_shows_arrive(repository, built, sam, cloudformation, page):
    """What README and the page of feeds show for samconfig.toml works as it is printed."""
    text = (repository / page).read_text()
    [table] = [block.partition("```")[0] for block in text.split("```toml\n")[1:] if "parameter_overrides]" in block]
    header, _, lines = table.partition("\n")
    assert header == "[default.deploy.parameters.parameter_overrides]"
    with_parameters(built, lines)
    sam(built, "deploy", "--no-confirm-changeset")
    assert cloudformation.parameters() == tomllib.loads(lines)


def test_the_readmes_parameters_on_the_command_line_arrive(repository, built, sam, cloudformation):
    """What README shows for the command line works as it is printed, in a shell."""
    start = "pipenv run sam deploy --parameter-overrides"
    [command] = [line for line in (repository / "README.md").read_text().splitlines() if line.startswith(start)]
    line = command.removeprefix("pipenv run ").partition("  #")[0] + " --no-confirm-changeset"
    script = f'set -- {line}; shift; printf "%s\\n" "$@"'
    arguments = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    sam(built, *arguments.splitlines())
    assert cloudformation.parameters() == {
        "AlertPattern2": '{"data":{"squawk":["7700"]}}',
        "Airlines": "Delta Air Lines,ET",
        "LatitudeBetween": "",
    }


def test_no_page_begins_a_stack_by_the_command_line(repository):
    """Parameters given there replace those of samconfig.toml: a first deployment would get the template defaults."""
    command = "sam deploy --parameter-overrides"
    pages = {path.name for path in (repository / "docs").glob("*.md") if command in path.read_text()}
    assert pages == set()


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_what_was_not_built_is_not_deployed(checkout, sam, cloudformation, environment):
    """Without a build SAM would upload the whole folder, whose functions cannot start."""
    finished = sam(checkout, "deploy", "--config-env", environment, "--no-confirm-changeset")
    assert finished.returncode == 1
    assert f"Template file not found at {checkout}/.aws-sam/build/template.yaml" in said(finished)
    assert not cloudformation.change_sets
    assert not cloudformation.objects


def test_what_was_not_built_is_not_invoked(checkout, sam):
    """The same for a single function."""
    finished = sam(checkout, "local", "invoke", "AggregatorFunction", "--no-event")
    assert finished.returncode == 1
    assert f"Template file not found at {checkout}/.aws-sam/build/template.yaml" in said(finished)
