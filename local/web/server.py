"""The web server of a local run: the page at `/`, the live objects at `/live/`, the API at `/api/`."""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

from local.loopback import LoopbackServer
from local.web.answer import Answer, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVERYWHERE = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What CloudFront's response headers policy adds in a deployed stack (`template.yaml`)."""

_IDLE_SECONDS = 60.0

_logger = logging.getLogger(__name__)


class Site(Protocol):
    """Something that answers requests below one path. Header names come in one spelling: `If-None-Match`."""

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET; `path` as it was asked for, without the query."""


class Api(Protocol):
    """The API's front door."""

    def call(self, target: str, headers: Mapping[str, str], client: str) -> Answer:
        """Answer a GET; `target` is the path and the query as they were asked for, `client` an IP address."""


class WebServer:
    """Serves on loopback until it is stopped; the page alone until it is connected.

    Raises
    ------
    OSError
        The port is taken, or may not be used.
    """

    def __init__(self, page: Site, *, port: int = 0) -> None:
        self._http = _HttpServer(("127.0.0.1", port), page)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="web")

    def connect(self, live: Site, api: Api) -> None:
        """Serve the live objects and the API from now on."""
        self._http.live, self._http.api = live, api

    @property
    def url(self) -> str:
        """The page's address, which ends with `/`."""
        return f"http://127.0.0.1:{self._http.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.disconnect_all()
        self._http.server_close()


class _HttpServer(LoopbackServer):
    def __init__(self, address: tuple[str, int], page: Site) -> None:
        self.page = page
        self.live: Site | None = None
        self.api: Api | None = None
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    server: _HttpServer
    protocol_version = "HTTP/1.1"
    server_version = "aircraft-stream"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def handle(self) -> None:
        """Serve requests until the connection ends; a browser that goes away is no error."""
        try:
            super().handle()
        except OSError as error:
            _logger.debug("a browser is gone: %s", error)

    def do_GET(self) -> None:
        """Answer with a file, an object, or what the API says."""
        path = urlsplit(self.path).path if self.path.startswith("/") else "/"
        headers = {name.title(): value for name, value in self.headers.items()}
        live, api = self.server.live, self.server.api
        if not path.startswith(("/live/", "/api/")):
            answer = self.server.page.answer(path, headers)
        elif live is None or api is None:
            answer = plain(HTTPStatus.SERVICE_UNAVAILABLE, "the stack is being created; try again in a few seconds")
        elif path.startswith("/live/"):
            answer = live.answer(path, headers)
        else:
            answer = api.call(self.path, headers, self.client_address[0])
        self._send(answer)

    do_HEAD = do_GET  # noqa: N815 -- http.server's names

    def _not_allowed(self) -> None:
        self.close_connection = True  # what the client sent along is not read
        answer = plain(HTTPStatus.METHOD_NOT_ALLOWED, f"{self.command}: not allowed; expected GET or HEAD")
        self._send(Answer(answer.status, {**answer.headers, "Allow": "GET, HEAD"}, answer.body))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _not_allowed  # noqa: N815 -- http.server's names

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**_EVERYWHERE, **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and answer.status != HTTPStatus.NOT_MODIFIED:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- http.server's signature
        """Keep the access log quiet: it is there for whoever turns debugging on."""
        _logger.debug(format, *args)
