"""The page's files, as they lie in a folder."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local.web.answer import Answer, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".bin": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}
"""By the ending, and no other file is served: the machine's own table of types differs from one to the next."""


class StaticFiles:
    """Serves a folder, `index.html` for the folder itself. Nothing outside it, whatever the path says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET of `path`, which begins with `/`."""
        name = unquote(path).lstrip("/") or "index.html"
        content_type = CONTENT_TYPES.get(Path(name).suffix)
        try:
            file = (self._folder / name).resolve()
            content = file.read_bytes() if content_type and file.is_relative_to(self._folder) else None
        except (OSError, ValueError):  # absent, a folder, or a name that no file can have
            content = None
        if content is None or content_type is None:
            return plain(HTTPStatus.NOT_FOUND, f"{path}: no such file")
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        common = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in headers.get("If-None-Match", ""):
            return Answer(HTTPStatus.NOT_MODIFIED, common)
        return Answer(HTTPStatus.OK, {**common, "Content-Type": content_type}, content)
