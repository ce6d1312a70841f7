"""A folder as an S3 bucket: answers the S3 calls of the archive and flights functions from files named by key.

Several processes may write at a time: a condition is tested and the file replaced under a lock of the folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import tempfile
import time
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OURS: Final = ".reprocess"
"""The subfolder with what a bucket has beside objects: their metadata, the lock."""

_CHUNK: Final = 1024 * 1024

_JUST_WRITTEN: Final = 2_000_000_000
"""Nanoseconds: what was written since may be written again with the same times."""


class FolderBucket:
    """A client of S3 for one bucket, whatever it is called. Tags are MD5, as S3's are for what is put at once.

    The methods raise `ClientError` as S3's client does, and OSError where the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ours = folder / OURS
        self._ours.mkdir(exist_ok=True)

    def get_object(
        self,
        *,
        Key: str,  # noqa: N803 - S3's names
        Range: str | None = None,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        **_: object,
    ) -> dict[str, Any]:
        """Return an object's content, or a range of it (`bytes=0-9`, `bytes=-10`), its tag and its metadata."""
        path = self._there(Key, "GetObject")
        tag = _tag(path)
        if IfMatch is not None and IfMatch != tag:
            raise _error(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", "GetObject")
        size = path.stat().st_size
        said = {"ETag": tag, "Metadata": self._metadata(Key, tag)}
        if Range is None:
            return {"Body": _Body(path, 0, size), **said}
        first, last = Range.removeprefix("bytes=").split("-")
        begin = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
        if begin >= end:
            raise _error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", "GetObject")
        return {"Body": _Body(path, begin, end), **said, "ContentRange": f"bytes {begin}-{end - 1}/{size}"}

    def head_object(self, *, Key: str, **_: object) -> dict[str, Any]:  # noqa: N803
        """Return an object's tag, and the metadata that were put with it."""
        tag = _tag(self._there(Key, "HeadObject"))
        return {"ETag": tag, "Metadata": self._metadata(Key, tag)}

    def put_object(
        self,
        *,
        Key: str,  # noqa: N803
        Body: Any,  # noqa: N803
        IfMatch: str | None = None,  # noqa: N803
        IfNoneMatch: str | None = None,  # noqa: N803
        Metadata: Mapping[str, str] | None = None,  # noqa: N803
        **_: object,
    ) -> dict[str, Any]:
        """Replace an object as a whole, on condition."""
        path = self._path(Key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._ours, delete=False) as file:
            new = Path(file.name)
            try:
                for chunk in [Body] if isinstance(Body, bytes) else iter(lambda: Body.read(_CHUNK), b""):
                    file.write(chunk)
                file.flush()
                with self._locked():
                    there = _tag(path) if path.is_file() else None
                    if (IfNoneMatch is not None and there is not None) or (IfMatch is not None and IfMatch != there):
                        raise _error(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", "PutObject")
                    tag = _tag(new)
                    if Metadata is not None:
                        self._beside(Key).parent.mkdir(parents=True, exist_ok=True)
                        self._beside(Key).write_text(json.dumps({"tag": tag, "metadata": dict(Metadata)}))
                    new.chmod(0o644)
                    new.replace(path)
            finally:
                new.unlink(missing_ok=True)
        return {"ETag": tag}

    def get_paginator(self, _operation: str) -> _Listing:
        """Return what lists objects (`list_objects_v2`)."""
        return _Listing(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._ours / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _there(self, key: str, operation: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise _error(HTTPStatus.NOT_FOUND, "NoSuchKey", operation)
        return path

    def _path(self, key: str) -> Path:
        return self._folder / key

    def _metadata(self, key: str, tag: str) -> dict[str, str]:
        try:
            known = json.loads(self._beside(key).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return dict(known["metadata"]) if known.get("tag") == tag else {}

    def _beside(self, key: str) -> Path:
        return self._ours / "metadata" / f"{key}.json"


class _Listing:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paginate(self, *, Prefix: str, **_: object) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Yield one page: the objects below a folder, in the order of their keys."""
        paths = sorted(path for path in (self._folder / Prefix).rglob("*") if path.is_file())
        yield {
            "Contents": [
                {"Key": str(path.relative_to(self._folder)), "ETag": _tag(path), "Size": path.stat().st_size}
                for path in paths
            ]
        }


class _Body:
    def __init__(self, path: Path, begin: int, end: int) -> None:
        self._path = path
        self._begin = begin
        self._end = end

    def read(self) -> bytes:
        return b"".join(self.iter_chunks(_CHUNK))

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._begin)
            while chunk := file.read(min(size, self._end - file.tell())):
                yield chunk


def _tag(path: Path) -> str:
    """Return the tag of a file's content, which is read once for as long as nobody writes it."""
    known = path.stat()
    if time.time_ns() - known.st_ctime_ns < _JUST_WRITTEN:
        return _tag_of(path)
    return _known_tag_of(path, known.st_ino, known.st_mtime_ns, known.st_ctime_ns, known.st_size)


@lru_cache(maxsize=4_096)
def _known_tag_of(path: Path, *_: int) -> str:
    return _tag_of(path)


def _tag_of(path: Path) -> str:
    with path.open("rb") as file:
        return f'"{hashlib.file_digest(file, _md5).hexdigest()}"'


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _error(status: HTTPStatus, code: str, operation: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": status.phrase}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # as much of it as is read
        operation,
    )
