"""The web server of a local run, over HTTP: the page's files, and the live objects of a bucket in moto."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import boto3
import pytest

from local.runtime.invocation import InvocationResult
from local.web.front_door import FrontDoor
from local.web.live_objects import LiveObjects
from local.web.server import WebServer
from local.web.static_files import StaticFiles


@pytest.fixture
def s3(aws):
    """A bucket with a live object, and something that the page has no business with."""
    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="data")
    client.put_object(Bucket="data", Key="live/shards.json", Body=b'{"shards":{}}')
    client.put_object(Bucket="data", Key="live/a/open", Body=bytes(range(100)))
    client.put_object(Bucket="data", Key="raw/secret", Body=b"licensed")
    return client


@pytest.fixture
def server(tmp_path, s3):
    """The server, with a page of two files beside one that must not be seen."""
    (tmp_path / "outside.txt").write_text("outside")
    web = tmp_path / "web"
    (web / "js").mkdir(parents=True)
    (web / "index.html").write_text("<!doctype html>")
    (web / "js" / "map.js").write_text("export {}")
    (web / "notes.private").write_text("not for browsers")
    with WebServer(StaticFiles(web)) as running:
        running.connect(LiveObjects(s3, "data"), FrontDoor(lambda _: InvocationResult("id", "asked", None, 0.0)))
        yield running


@pytest.fixture
def get(server):
    """Ask for a path; gives status, headers and body."""

    def ask(path, method="GET", **headers):
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    return ask


def test_the_page_comes_as_it_lies_in_the_folder(get):
    """Each file has the type a browser needs to run it, and the policy that keeps it to its own host."""
    status, headers, body = get("/")
    assert (status, body) == (200, b"<!doctype html>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")
    status, headers, body = get("/js/map.js?v=1")
    assert (status, headers["Content-Type"], body) == (200, "text/javascript; charset=utf-8", b"export {}")


@pytest.mark.parametrize(
    "path",
    ["/absent.js", "/js", "/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/notes.private", "/%00.js"],
)
def test_nothing_else_of_the_machine_is_served(get, path):
    """A path out of the folder, an unknown kind of file and a name no file can have are not there."""
    assert get(path)[0] == 404


def test_a_file_that_is_known_already_is_not_sent_again(get):
    """The tag of the file's content is asked for with, and answered by 304."""
    tag = get("/index.html")[1]["ETag"]
    assert get("/index.html", If_None_Match=tag)[::2] == (304, b"")


def test_a_live_object_is_sent_once_until_it_changes(get, s3):
    """What a browser polls costs no bytes while it is the same, and comes when it is not."""
    status, headers, body = get("/live/shards.json")
    assert (status, headers["Content-Type"], body) == (200, "application/json", b'{"shards":{}}')
    assert get("/live/shards.json", If_None_Match=headers["ETag"])[::2] == (304, b"")
    s3.put_object(Bucket="data", Key="live/shards.json", Body=b"{}")
    assert get("/live/shards.json", If_None_Match=headers["ETag"])[::2] == (200, b"{}")


def test_a_part_of_a_live_object_can_be_asked_for(get):
    """A view of a city need not take the world."""
    status, headers, body = get("/live/a/open", Range="bytes=10-19")
    assert (status, headers["Content-Range"], body) == (206, "bytes 10-19/100", bytes(range(10, 20)))
    assert get("/live/a/open", Range="bytes=200-300")[0] == 416


def test_nothing_but_live_objects_leaves_the_bucket(get):
    """The archive and what else is in the bucket stay there, however the path is written."""
    for path in ("/raw/secret", "/live/absent", "/live/../raw/secret", "/live/%2e%2e/raw/secret"):
        assert get(path)[0] == 404


def test_the_api_is_asked_through_its_front_door(get):
    """What the function answers comes back as HTTP."""
    assert get("/api/health")[::2] == (200, b'"asked"')


def test_before_the_stack_is_there_only_the_page_is_served(tmp_path):
    """A browser that is opened at once gets the page, and a text that the rest will come."""
    (tmp_path / "index.html").write_text("<!doctype html>")
    with WebServer(StaticFiles(tmp_path)) as server:
        for path, status in (("/", 200), ("/live/shards.json", 503), ("/api/health", 503)):
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
            connection.request("GET", path)
            assert connection.getresponse().status == status
            connection.close()


def test_only_reading_is_allowed(get):
    """Another method is refused in words."""
    status, headers, body = get("/", method="POST")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert b"expected GET or HEAD" in body
    assert get("/", method="HEAD")[::2] == (200, b"")
