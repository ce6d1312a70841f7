"""Functions under AWS's runtime interface client and emulator: every way an invocation can end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from local.runtime import emulator as emulator_module
from local.runtime import processes
from local.runtime.emulator import Emulator, EmulatorError
from local.runtime.invocation import ThrottledError
from tests.support.conditions import wait_until

BEHAVIOURS = """
import os, sys, tempfile, time
count = 0
def handler(event, context):
    global count
    count += 1
    match event.get("do"):
        case "raise": raise ValueError("bad input")
        case "exit": sys.exit(3)
        case "crash": os._exit(4)
        case "sleep": print("asleep", flush=True), time.sleep(60)
        case "too large": return "x" * 7_000_000
        case "no json": return {1, 2}
        case "environment": return dict(os.environ)
        case "leave a file":
            folder = tempfile.mkdtemp()
            open(os.path.join(folder, "left"), "w").close()
            print("left", flush=True)
            if event["then"] == "sleep": time.sleep(60)
            os._exit(4) if event["then"] == "crash" else None
            return folder
        case "context":
            return [context.function_name, context.memory_limit_in_mb, context.get_remaining_time_in_millis()]
    return {"count": count, "got": event}
"""

LISTENS = """
import signal, time
def handler(event, context):
    asked = []  # an event's lock could be held by what the signal interrupts
    previous = signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    print("listening", flush=True)
    while not asked: time.sleep(0.02)
    signal.signal(signal.SIGTERM, previous)
    return "stopped when asked"
"""


def _invoke(function, **event):
    return function.invoke(json.dumps(event).encode())


def test_a_result_is_the_function_s_return_value(function):
    """The payload is decoded, there is no error, and a warm environment keeps its state."""
    one = function(BEHAVIOURS)
    first, second = _invoke(one, a=1), _invoke(one, a=2)
    assert (first.payload, first.function_error) == ({"count": 1, "got": {"a": 1}}, None)
    assert second.payload["count"] == 2
    assert first.request_id != second.request_id
    assert (one.invocations, one.errors) == (2, 0)


@pytest.mark.parametrize(
    ("behaviour", "error_type"),
    [
        ("raise", "ValueError"),
        ("exit", "Runtime.ExitError"),
        ("crash", "Runtime.ExitError"),
        ("sleep", "Sandbox.Timedout"),
        ("too large", "Function.ResponseSizeTooLarge"),
        ("no json", "Runtime.MarshalError"),
    ],
)
def test_a_failure_is_reported_and_the_next_invocation_works(function, behaviour, error_type):
    """Whatever ends an invocation, the answer says what it was, and the function goes on being invoked."""
    one = function(BEHAVIOURS, timeout=1 if behaviour == "sleep" else 30)
    failed = _invoke(one, do=behaviour)
    assert (failed.payload["errorType"], failed.function_error) == (error_type, "Unhandled")
    assert _invoke(one).function_error is None
    assert (one.invocations, one.errors) == (2, 1)


def test_an_exception_carries_its_message_and_request(function):
    """What the function raised is what the poller and the person get to read."""
    failed = _invoke(function(BEHAVIOURS), do="raise")
    assert failed.payload["errorMessage"] == "bad input"
    assert failed.payload["requestId"] == failed.request_id


def test_a_payload_beyond_lambda_s_bound_fails(function):
    """More than 6 MB is cut by the emulator, and then no JSON any more."""
    failed = _invoke(function(BEHAVIOURS), text="x" * 6_500_000)
    assert (failed.payload["errorType"], failed.function_error) == ("Runtime.UnmarshalError", "Unhandled")


def test_a_handler_that_cannot_be_imported_is_an_error_with_a_log(function):
    """A cold start that fails is reported, with the runtime's own words in the log."""
    one = function("import nothing_of_that_name")
    failed = _invoke(one)
    assert (failed.payload["errorType"], failed.function_error) == ("Runtime.ImportModuleError", "Unhandled")
    wait_until(lambda: any("nothing_of_that_name" in line for line in one.log.newest()))


BOTOCORE = """
from botocore import compat, httpsession
def handler(event, context):
    return [compat.HAS_CRT, httpsession.SSLContext.__module__]
"""


def test_botocore_finds_what_it_finds_in_lambda(function):
    """Packages for development that it would use are not there: its checksums and its TLS are those of the zips."""
    assert _invoke(function(BOTOCORE)).payload == [False, "ssl"]


def test_the_environment_is_lambda_s_and_the_stack_s_and_nothing_else(function, monkeypatch):
    """Nothing of this machine's environment gets in: no proxy, no profile, no credentials."""
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    environment = _invoke(function(BEHAVIOURS, environment={"STATE_BUCKET": "bucket"}), do="environment").payload
    assert environment["STATE_BUCKET"] == "bucket"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert environment["AWS_ACCESS_KEY_ID"] == "localThrowaway"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "throwaway"
    assert environment.keys().isdisjoint({"AWS_PROFILE", "HTTPS_PROXY"})


def test_the_context_has_the_function_s_settings(function):
    """Name, memory and remaining time come from the stack."""
    name, memory, remaining = _invoke(function(BEHAVIOURS, timeout=7), do="context").payload
    assert (name, memory) == ("throwaway", "256")
    assert 6_000 < remaining <= 7_000


def test_invocations_run_side_by_side_each_in_its_own_environment(function):
    """A function without reserved concurrency serves several pollers at once."""
    one = function(LISTENS)
    results = []
    threads = [threading.Thread(target=lambda: results.append(_invoke(one))) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: one.log.newest().count("listening") == 2)
    assert one.under_way == 2
    assert one.terminate()
    for thread in threads:
        thread.join()
    assert [result.payload for result in results] == ["stopped when asked"] * 2


def test_reserved_concurrency_throttles(function):
    """The second invocation is refused while the first is under way, and served after it."""
    one = function(LISTENS, reserved=1)
    results = []
    thread = threading.Thread(target=lambda: results.append(_invoke(one)))
    thread.start()
    wait_until(lambda: "listening" in one.log.newest())
    with pytest.raises(ThrottledError, match="1 of 1 concurrent invocations"):
        _invoke(one)
    assert one.running_for > 0
    assert one.terminate()
    thread.join()
    assert results[0].payload == "stopped when asked"
    assert one.running_for is None


def test_each_invocation_is_asked_once_to_stop(function):
    """Another SIGTERM might come as the runtime stops listening, and end it; the next invocation is asked again."""
    one = function(LISTENS, reserved=1)
    for number in (1, 2):
        thread = threading.Thread(target=_invoke, args=(one,))
        thread.start()
        wait_until(lambda number=number: one.log.newest().count("listening") == number)
        (pid,) = one.busy_processes()
        os.kill(pid, signal.SIGSTOP)
        assert (one.terminate(), one.terminate()) == (True, False)
        os.kill(pid, signal.SIGCONT)
        thread.join()
    assert one.errors == 0


def test_a_function_that_does_not_listen_is_not_signalled(function):
    """SIGTERM would end its process, and the invocation with it."""
    one = function(BEHAVIOURS, timeout=1)
    results = []
    thread = threading.Thread(target=lambda: results.append(_invoke(one, do="sleep")))
    thread.start()
    wait_until(lambda: "asleep" in one.log.newest())
    assert not one.terminate()
    thread.join()
    assert results[0].payload["errorType"] == "Sandbox.Timedout"


def test_stopping_leaves_no_process_even_in_the_middle_of_an_invocation(function):
    """Emulator and runtime have different process groups: both are gone, and later invocations are refused."""
    one = function(LISTENS)
    outcomes = []

    def invoke():
        try:
            outcomes.append(_invoke(one).function_error)
        except EmulatorError as error:
            outcomes.append(str(error))

    thread = threading.Thread(target=invoke)
    thread.start()
    wait_until(lambda: "listening" in one.log.newest())
    (leader,) = {emulator._process.pid for emulator in one._busy}
    assert len(processes.session(leader)) == 2
    one.stop()
    thread.join()
    assert processes.session(leader) == []
    assert outcomes[0] is not None
    with pytest.raises(ThrottledError):
        _invoke(one)


@pytest.mark.parametrize("then", ["return", "crash", "sleep"])
def test_what_a_function_leaves_in_its_folder_ends_with_its_environment(function, then, tmp_path, monkeypatch):
    """As in Lambda: each environment has its own, which lasts as long as the environment and no longer."""
    folders = tmp_path / "folders"
    folders.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folders))
    one = function(BEHAVIOURS)
    thread = threading.Thread(target=lambda: _attempt(one, then))
    thread.start()
    wait_until(lambda: "left" in one.log.newest())
    assert list(folders.glob("*/*/left"))
    one.stop()
    thread.join()
    assert list(folders.iterdir()) == []


def _attempt(function, then):
    with contextlib.suppress(EmulatorError):
        _invoke(function, do="leave a file", then=then)


def test_environments_of_one_function_have_different_temporary_folders(function):
    """A warm one keeps its own."""
    one = function(BEHAVIOURS)
    first = _invoke(one, do="leave a file", then="return").payload
    again = _invoke(one, do="leave a file", then="return").payload
    one.deploy(one._task_root)
    other = _invoke(one, do="leave a file", then="return").payload
    assert Path(first).parent == Path(again).parent != Path(other).parent
    assert not Path(first).exists()
    assert Path(other).exists()


def test_a_port_that_is_taken_is_no_obstacle(tmp_path, monkeypatch):
    """The runtime API's port is chosen before it is bound: when somebody else was faster, another one is taken."""
    (tmp_path / "throwaway.py").write_text("def handler(event, context): return 1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = [taken.getsockname()[1]]
        really = emulator_module._free_port
        monkeypatch.setattr(emulator_module, "_free_port", lambda: ports.pop() if ports else really())
        emulator = Emulator("throwaway.handler", tmp_path, 5, {"PATH": os.environ["PATH"]}, lambda _: None)
        try:
            emulator.start()
            assert ports == []
            assert emulator.invoke(b"{}").payload == 1
        finally:
            emulator.stop()
