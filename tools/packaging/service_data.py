"""Rewrites botocore's data without what no call reads: every process that makes a client has to parse it.

Most of a service model is documentation (S3's: 1.4 MB, of which 0.2 MB are left), most of an endpoint rule set is white
space, and `endpoints.json` lists every region of 400 services. A cold start that makes two clients takes
some 25 ms less.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

DATA = re.compile(r"^botocore/data/.*\.json(\.gz)?$")


def lean(path: str, content: bytes, services: set[str]) -> tuple[str, bytes]:
    """Return path and content of a file that holds the same, but for documentation and for other services' endpoints.

    It is not compressed: the zip is, and Lambda unpacks that before a start, not during it. botocore looks for the
    plain file first.
    """
    if path.endswith(".gz"):
        path, content = path.removesuffix(".gz"), gzip.decompress(content)
    data = json.loads(content)
    name = path.rpartition("/")[2]
    if name == "endpoints.json":
        for partition in data["partitions"]:
            partition["services"] = {key: value for key, value in partition["services"].items() if key in services}
    elif name == "service-2.json":
        for part in ("operations", "shapes"):  # elsewhere botocore reads a `documentation`, and fails without it
            data[part] = _undocumented(data[part])
    return path, json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _undocumented(part: Any) -> Any:
    """Return it without documentation, which is a text; a member or a shape of that name stays."""
    if isinstance(part, dict):
        return {
            key: _undocumented(value)
            for key, value in part.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    if isinstance(part, list):
        return [_undocumented(each) for each in part]
    return part
