"""A stub of an S3 bucket that can be listed, tagged and emptied: the bucket of what Lambda gave up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.adversary.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adversary.wire import Request

_XML = (("Content-Type", "application/xml"),)
_SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass(slots=True)
class Bucket:
    """Objects, their tags, and a call for each object that is marked or removed, at that moment."""

    objects: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    page: int = 1000
    watch: Callable[[str, str], None] = lambda *_: None
    """Called with `marked` or `deleted`, and the object's key."""

    def routed(self, request: Request, key: str) -> tuple[str, Callable[[object], Reply]]:
        """Return the operation's name for the rules, and what carries it out."""
        query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
        name = "list" if not key else request.method.lower() + ("tagging" if "tagging" in query else "")
        return f"failures.{name}", lambda _: self._carry_out(name, key, query, request.body)

    def _carry_out(self, name: str, key: str, query: dict[str, list[str]], body: bytes) -> Reply:
        if name == "list":
            return self._list(query)
        if key not in self.objects and name != "delete":
            return Reply(404, b"<Error><Code>NoSuchKey</Code><Message>It is not here.</Message></Error>", _XML)
        if name == "get":
            content = self.objects[key]
            etag = f'"{hashlib.md5(content).hexdigest()}"'
            return Reply(200, content, (("ETag", etag), ("Last-Modified", formatdate(usegmt=True))), "OK")
        return self._change(name, key, body)

    def _change(self, name: str, key: str, body: bytes) -> Reply:
        match name:
            case "gettagging":
                tags = "".join(
                    f"<Tag><Key>{escape(tag)}</Key><Value>{escape(value)}</Value></Tag>"
                    for tag, value in self.tags.get(key, {}).items()
                )
                return Reply(200, f"<Tagging {_SPACE}><TagSet>{tags}</TagSet></Tagging>".encode(), _XML, "OK")
            case "puttagging":
                # What we are sent is our own command's, not an enemy's.
                found = ET.fromstring(body).iter("{http://s3.amazonaws.com/doc/2006-03-01/}Tag")
                self.tags[key] = {each[0].text or "": each[1].text or "" for each in found}
                if "redriven" in self.tags[key]:
                    self.watch("marked", key)
                return Reply(200, b"", reason="OK")
            case "delete":
                if self.objects.pop(key, None) is not None:
                    self.watch("deleted", key)
                return Reply(204, reason="No Content")
        return Reply(405, b"<Error><Code>MethodNotAllowed</Code><Message>No.</Message></Error>", _XML)

    def _list(self, query: dict[str, list[str]]) -> Reply:
        prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        page, rest = keys[: self.page], keys[self.page :]
        contents = "".join(
            f"<Contents><Key>{quote(key)}</Key><LastModified>2026-01-01T00:00:{index % 60:02}.000Z</LastModified>"
            f"<Size>{len(self.objects[key])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for index, key in enumerate(page)
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult {_SPACE}><Name>failures</Name>'
            f"<Prefix>{quote(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{self.page}</MaxKeys>"
            f"<EncodingType>url</EncodingType><IsTruncated>{str(bool(rest)).lower()}</IsTruncated>"
            f"{more}{contents}</ListBucketResult>"
        )
        return Reply(200, text.encode(), _XML, "OK")


def stack_resources(resources: dict[str, str]) -> Reply:
    """Return CloudFormation's answer to ListStackResources: logical ids and what `Ref` gives."""
    members = "".join(
        f"<member><LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>"
        "<ResourceType>AWS::X::Y</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>"
        "<LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"
        for logical, physical in resources.items()
    )
    text = (
        '<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<ListStackResourcesResult><StackResourceSummaries>{members}</StackResourceSummaries>"
        "</ListStackResourcesResult></ListStackResourcesResponse>"
    )
    return Reply(200, text.encode(), (("Content-Type", "text/xml"),), "OK")
