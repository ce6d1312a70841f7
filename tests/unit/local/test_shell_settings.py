"""What of the shell's settings reaches the local AWS's clients: nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local.shell_settings import shut_out
from tests.support.hostile_shell import HOSTILE


@pytest.fixture
def hostile_shell(tmp_path):
    """The environment of such a shell, whose configuration file is broken too."""
    broken = tmp_path / "config"
    broken.write_text("[profile\nbroken")
    own = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return own | HOSTILE | {"AWS_CONFIG_FILE": str(broken), "AWS_SHARED_CREDENTIALS_FILE": str(broken)}


def test_nothing_of_the_shells_settings_is_left(hostile_shell):
    """Each of them is gone; proxies stay for hosts that are not this machine."""
    shut_out(hostile_shell)
    kept = HOSTILE.keys() & hostile_shell.keys()
    assert kept == {"http_proxy", "HTTP_PROXY", "all_proxy"}
    assert hostile_shell["AWS_CONFIG_FILE"] == hostile_shell["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "127.0.0.1" in hostile_shell["no_proxy"].split(",")


def test_hosts_that_were_exempt_from_the_proxy_stay_so():
    """Loopback is added to what the shell says, whichever of the two names it uses."""
    for name in ("no_proxy", "NO_PROXY"):
        environment = {name: "example.org,.internal"}
        shut_out(environment)
        assert environment["no_proxy"] == "example.org,.internal,127.0.0.1,localhost,::1" == environment["NO_PROXY"]


def test_the_suite_runs_in_such_a_shell(hostile_shell, repository):
    """A test that speaks to the moto server by boto3, run by pytest as a person in such a shell runs it."""
    test = "tests/integration/local/aws/test_moto_kinesis.py"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=repository,
        env=hostile_shell,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
