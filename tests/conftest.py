"""Fixtures that every test may use: a real moto server on loopback, and AWS settings that reach nothing else."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import threading
import urllib.request
from pathlib import Path

import hypothesis
import pytest

from local.shell_settings import shut_out

# A shared machine may be slow for a moment; how long an example takes to make or to try is no property of the code.
# Half of Hypothesis's usual number of examples, unless a test says how many it needs.
hypothesis.settings.register_profile(
    "tests", deadline=None, max_examples=50, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

# A shell's background job may have Ctrl-C ignored, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Set before anything imports boto3 or Powertools: no test may reach a real account, whatever the shell says of one.
shut_out(os.environ)
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "tests",
    "POWERTOOLS_METRICS_NAMESPACE": "tests",
}
os.environ |= SETTINGS

from common.observability import logger  # noqa: E402 - Powertools reads the settings when it is imported

gc.disable()  # until all tests are collected: nearly all that is made meanwhile stays


def pytest_collection_finish():
    """Have the garbage collector pass by thousands of collected tests; going through them took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


_TESTS = Path(__file__).parent
_APART = {_TESTS / "browser": 12, _TESTS / "integration" / "consumer": 4}
"""Files from one of a folder's to the next."""


def pytest_collection_modifyitems(items):
    """Keep files of a kind apart, since four run at a time: the browser's have both cores draw, the consumer's wait."""
    files = {path: list(group) for path, group in itertools.groupby(items, lambda item: item.path)}
    order = list(files)
    for folder, apart in _APART.items():
        several = [path for path in order if folder in path.parents]
        order = [path for path in order if path not in several]
        for number, path in enumerate(several):
            order.insert(min(apart * number, len(order)), path)
    items[:] = [item for path in order for item in files[path]]


_ONE_STACK = {"tests/end_to_end/test_secrets.py": "tests/end_to_end/test_least_privilege.py"}
"""Files that look at one stack, by the first of them: each worker that got one would make it for itself."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give files of one stack to one worker."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class ByStack(LoadFileScheduling):
        def _split_scope(self, nodeid):
            path = super()._split_scope(nodeid)
            return _ONE_STACK.get(path, path)

    return ByStack(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _settings():
    """A command run in this process, by a test or a fixture of any scope, changes these; the next test has its own."""
    yield
    os.environ.update(SETTINGS)
    logger.setLevel("INFO")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's top folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def recording(repository):
    """The recording of real updates, which the project itself does not ship: absent, the test is skipped."""
    path = repository.parent / "shared" / "data" / "shanghai-2021-03-20.ndjson.gz"
    if not path.exists():
        pytest.skip("the recording of real updates is not beside this checkout (../shared/data)")
    return path


@pytest.fixture(scope="session")
def moto_server():
    """A moto server on a free loopback port, for the whole session; made like the local stack's, request by request."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    from local.aws.moto_server import OneAtATime, QuietRequestHandler, prepare_moto

    prepare_moto()
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietRequestHandler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def aws(moto_server, monkeypatch):
    """An empty AWS account in moto; boto3 clients made without arguments talk to it. Gives its address."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_server}/moto-api/reset", method="POST")).close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    return moto_server
