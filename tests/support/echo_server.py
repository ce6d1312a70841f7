"""A careless server in the stream's place: it repeats what it was sent, the credentials among it, in all it says."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class EchoServer:
    """Answers each request with what `how` says, in words that hold the request's headers.

    `how` is a status, or `stream` for a stream that repeats them in a status message, a line that is no JSON, and a
    line that is no target update, and ends with a position token. Used as a context manager.
    """

    def __init__(self):
        self.how: int | str = 400
        self.authorizations = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/v2/targets/stream"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self):
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                authorization = self.headers.get("Authorization", "")
                echo.authorizations.append(authorization)
                said = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
                if echo.how == "stream":
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.end_headers()
                    status = {"level": "WARN", "code": 7, "message": said}
                    odd = {"target": {"icao_address": said}}
                    token = {"position_token": f"t{len(echo.authorizations)}"}
                    for line in (json.dumps({"status": status}), said, json.dumps(odd), json.dumps(token)):
                        self.wfile.write(line.encode() + b"\n")
                    return
                self.send_response(echo.how, f"said {authorization}")
                self.send_header("Location", f"/?said={authorization.replace(' ', '+')}")
                self.send_header("X-Said", authorization)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *_):
                pass

        return Handler
