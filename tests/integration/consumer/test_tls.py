"""TLS as the stream client does it, against a real server whose certificate nobody vouches for."""

from __future__ import annotations

import ast
import re
from contextlib import closing

import pytest

from common.clock import SystemClock
from common.environment import ConfigurationError
from consumer.deadline import Deadline
from consumer.settings import Settings
from consumer.stream.client import FromToken, StreamClient
from consumer.stream.connection import StreamInterruptedError
from tests.support.self_signed import https_server, make_certificate

TOKEN = "s3cr3t-api-token-0123456789abcdef"
NEEDED = {
    "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:token",
    "STATE_BUCKET": "state",
    "DATA_BUCKET": "data",
    "UPDATES_STREAM_NAME": "updates",
}
BUNDLES = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}
OFF = ("0", "1", "false", "true", "none", "CERT_NONE", "off", "no")


@pytest.fixture(autouse=True)
def no_trust_of_the_machines_own(monkeypatch):
    """The machine's settings of whom to trust, and of proxies, are no part of a test."""
    for name in (*BUNDLES, "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1, signed by itself."""
    return make_certificate(tmp_path, "127.0.0.1")


def read(settings):
    """The stream's lines, read with these settings as the handler does."""
    with closing(
        StreamClient(settings.stream_url, TOKEN, settings.filters, settings.compression, silence_seconds=10)
    ) as client:
        connection = client.open(FromToken("LATEST"), deadline=Deadline(SystemClock(), 10))
        with closing(connection):
            return [line for blocks in connection.blocks() for block in blocks for line in block.split(b"\n")[:-1]]


def environment_variables(repository):
    """The name of every variable that the code reads or the template sets."""
    code = "".join(path.read_text() for path in (repository / "src").rglob("*.py"))
    template = (repository / "template.yaml").read_text()
    return sorted(
        set(re.findall(r'"([A-Z][A-Z0-9_]{3,})"', code))
        | set(re.findall(r"^ +([A-Z][A-Z0-9_]{3,}):", template, re.MULTILINE))
    )


def accepts(name, value):
    """Whether this setting takes this value."""
    try:
        Settings.from_environment(NEEDED | {name: value})
    except ConfigurationError:
        return False
    return True


@pytest.mark.parametrize("value", OFF)
def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, monkeypatch, repository, value):
    """Whatever word for "off" is in every setting that takes it, the server must never see a request."""
    names = [*environment_variables(repository), "VERIFY", "STREAM_VERIFY", "SSL_VERIFY", "PYTHONHTTPSVERIFY"]
    assert {"COMPRESSION", "API_TOKEN_SECRET_ARN", "LATE_FILTER", "AIRLINES"} <= set(names)
    with https_server(certificate) as (url, seen):
        names = [name for name in names if name not in BUNDLES]
        environ = NEEDED | {name: value for name in names if accepts(name, value)} | {"STREAM_URL": url}
        for name, text in environ.items():
            monkeypatch.setenv(name, text)
        with pytest.raises(StreamInterruptedError, match="CERTIFICATE_VERIFY_FAILED"):
            read(Settings.from_environment(environ))
    assert seen == []


def test_a_bundle_adds_trust(certificate, monkeypatch):
    """REQUESTS_CA_BUNDLE must let in a server whose certificate is in it: a company's own authority, for one."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with https_server(certificate) as (url, seen):
        assert read(Settings.from_environment(NEEDED | {"STREAM_URL": url})) == [b'{"a":1}']
    assert seen == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("name", sorted(BUNDLES))
def test_a_bundle_that_is_not_there_is_named(certificate, monkeypatch, name):
    """A misspelt path trusts nobody; and the error says which variable to look at."""
    monkeypatch.setenv(name, "/nowhere/bundle.pem")
    with https_server(certificate) as (url, seen), pytest.raises(StreamInterruptedError, match=f"{name}=/nowhere"):
        read(Settings.from_environment(NEEDED | {"STREAM_URL": url}))
    assert seen == []


def test_a_trusted_certificate_of_another_host_is_refused(tmp_path, monkeypatch):
    """Trust in a certificate is trust in it for its own host alone."""
    other = make_certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with https_server(other) as (url, seen), pytest.raises(StreamInterruptedError, match="CERTIFICATE_VERIFY_FAILED"):
        read(Settings.from_environment(NEEDED | {"STREAM_URL": url}))
    assert seen == []


def is_true(expression):
    """Whether it is `... or True`."""
    match expression:
        case ast.BoolOp(op=ast.Or(), values=[*_, ast.Constant(value=True)]):
            return True
    return False


def test_nothing_deployed_names_what_would_switch_verification_off(repository):
    """No deployed line has `cert_reqs`, `check_hostname`, an unverified context, or a `verify` that may be untrue."""
    for path in sorted((repository / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "verify" and is_true(node.value):
                continue
            named = getattr(node, "arg", None) or getattr(node, "attr", None) or getattr(node, "id", None)
            assert named not in {
                "verify", "cert_reqs", "check_hostname", "verify_mode", "CERT_NONE", "_create_unverified_context",
            }, f"{path.name}:{getattr(node, 'lineno', 0)} names {named}"  # fmt: skip
