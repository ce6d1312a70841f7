"""Recognises a call to AWS from its HTTP request: who calls which operation of which service.

The service and the caller are in the signature's credential scope, the operation where the service's protocol puts
it: the header X-Amz-Target (JSON), the form field Action (query), the path (RPC v2), or, for S3, the method, the path
and the query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from local.aws.moto import caller_of

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "unknown"

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/[^/]*/([^/]+)/aws4_request")
_RPC = re.compile(r"/service/[^/]+/operation/([^/?]+)")
_FORM = "application/x-www-form-urlencoded"

_S3_BUCKET = {("GET", "list-type"): "ListObjectsV2", ("GET", "location"): "GetBucketLocation"}
_S3_BUCKET_PLAIN = {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_S3_OBJECT_PLAIN = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_S3_REFINING = frozenset(
    {
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "marker",
        "max-keys",
        "prefix",
        "start-after",
        "versionId",
    }
)
"""Query parameters that leave a request the operation it is (S3 API reference); others make another one of it."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; `headers` have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path as it was sent, without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query's parameters."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form; empty for another body."""
        if not self.headers.get("content-type", "").startswith(_FORM):
            return {}
        return parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def bucket_and_key(self) -> tuple[str, str]:
        """The bucket and key of an S3 request; the key is empty for the bucket itself."""
        bucket, _, key = self.path.lstrip("/").partition("/")
        return unquote(bucket), unquote(key)


@dataclass(frozen=True, slots=True)
class Call:
    """A call: `caller` is a function's logical id, `service` and `operation` are AWS's names or `unknown`."""

    caller: str
    service: str
    operation: str


def recognise(request: Request) -> Call:
    """Return who calls what."""
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope is None:
        return Call("", UNKNOWN, UNKNOWN)
    return Call(caller_of(scope[1]), scope[2], _operation(request, scope[2]))


def _operation(request: Request, service: str) -> str:
    if service == "s3":
        return _s3_operation(request)
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if rpc := _RPC.match(request.path):
        return rpc[1]
    return request.form.get("Action", request.query.get("Action", [UNKNOWN]))[0]


def _s3_operation(request: Request) -> str:
    bucket, key = request.bucket_and_key
    selectors = request.query.keys() - _S3_REFINING
    if not bucket:
        return "ListBuckets" if request.method == "GET" else UNKNOWN
    if "x-amz-copy-source" in request.headers:
        return "CopyObject"
    if selectors:
        names = [_S3_BUCKET.get((request.method, selector), UNKNOWN) for selector in selectors]
        return names[0] if len(names) == 1 and not key else UNKNOWN
    return (_S3_OBJECT_PLAIN if key else _S3_BUCKET_PLAIN).get(request.method, UNKNOWN)
