"""As much of CloudFormation and S3 as `sam deploy` needs to come to its change set, which is recorded and refused."""

from __future__ import annotations

import threading
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANAGED_BUCKET = """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<DescribeStacksResult><Stacks><member><StackName>aws-sam-cli-managed-default</StackName>
<CreationTime>2024-03-04T23:24:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>
<Tags><member><Key>ManagedStackSource</Key><Value>AwsSamCli</Value></member></Tags>
<Outputs><member><OutputKey>SourceBucket</OutputKey><OutputValue>artifacts</OutputValue></member></Outputs>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""

_REFUSAL = """<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<Error><Type>Sender</Type><Code>ValidationError</Code><Message>{}</Message></Error></ErrorResponse>"""


class RecordingCloudFormation:
    """What was asked for: each change set's form fields, and the keys of the objects that were looked for in S3."""

    def __init__(self) -> None:
        self.change_sets: list[dict[str, str]] = []
        self.objects: list[str] = []
        self.address = ""

    def parameters(self) -> dict[str, str]:
        """Return the last change set's parameters that were given a value, by name."""
        form = self.change_sets[-1]
        prefix, suffix = "Parameters.member.", ".ParameterKey"
        numbers = [key.removeprefix(prefix).removesuffix(suffix) for key in form if key.endswith(suffix)]
        return {
            form[f"{prefix}{number}{suffix}"]: form[f"{prefix}{number}.ParameterValue"]
            for number in numbers
            if f"{prefix}{number}.ParameterValue" in form
        }


@contextmanager
def recording_cloudformation() -> Iterator[RecordingCloudFormation]:
    """Serve on a free loopback port until the block ends."""
    record = RecordingCloudFormation()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            record.objects.append(self.path)  # every object is there already, so that nothing is uploaded
            self._answer(200, "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
            if form["Action"] == "CreateChangeSet":
                record.change_sets.append(form)
                self._answer(400, _REFUSAL.format("recorded"))
            elif form.get("StackName") == "aws-sam-cli-managed-default":
                self._answer(200, _MANAGED_BUCKET)
            else:
                self._answer(400, _REFUSAL.format(f"Stack with id {form.get('StackName')} does not exist"))

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    record.address = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield record
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
