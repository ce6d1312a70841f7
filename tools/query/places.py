"""Data locations: the folder of a local run, or a data bucket."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from local.aws.folder_bucket import FolderBucket
from tools.query.errors import QueryError

if TYPE_CHECKING:
    import duckdb

    from tools.query.span import Span
    from tools.query.tables import Table

_SCHEME: Final = "s3://"
_DAY: Final = "date="


class Place(Protocol):
    """A folder or a bucket that holds tables."""

    name: str
    """As people gave it."""

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the connection read from here."""

    def patterns(self, table: Table, span: Span) -> list[str]:
        """Return what DuckDB's readers take: patterns of the table's objects in the span's days; none, if it has none.

        Days of which there is nothing are not among them: a reader refuses a pattern that nothing matches.
        """

    def write(self, key: str, content: bytes) -> None:
        """Write an object, or replace it."""

    def objects(self) -> tuple[Any, str]:
        """Return a client of S3, and the bucket that it knows this place by.

        Raises
        ------
        QueryError
            It is a prefix of a bucket.
        """


def place(text: str) -> Place:
    """Return the place that `--on` names.

    Raises
    ------
    QueryError
        It names no folder that is there, or no bucket.
    """
    return _Bucket(text) if text.startswith(_SCHEME) else _Folder(Path(text))


def _chosen(table: Table, days: list[str], span: Span) -> list[str] | None:
    """Return the days that have rows of the span; None where that is all of them, so that one pattern does."""
    last = span.last_delivery if table.is_by_delivery else span.last_day
    chosen = [day for day in days if span.first_day <= day.removeprefix(_DAY) <= last]
    return None if chosen == days else chosen


def _below(root: str, table: Table, days: list[str] | None) -> list[str]:
    rest = "".join(f"{name}=*/" for name in table.partitions[1:]) + table.objects
    return [f"{root}{table.prefix}{day}/{rest}" for day in days or [f"{_DAY}*"]]


class _Folder:
    """What `pipenv run local --out DIR` leaves: the data bucket's keys as files."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        if not path.is_dir():
            what = "a file" if path.exists() else "not there"
            raise QueryError(f"{path}: is {what}; expected the folder of `pipenv run local --out DIR`, or s3://BUCKET")
        self._path = path.absolute()

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Nothing to do."""

    def patterns(self, table: Table, span: Span) -> list[str]:
        folders = sorted((self._path / table.prefix).glob(f"{_DAY}*"))
        depth = "/".join(["*"] * (len(table.partitions) - 1) + [table.objects])
        days = [folder.name for folder in folders if any(folder.glob(depth))]
        chosen = _chosen(table, days, span)
        return [] if not days or chosen == [] else _below(f"{glob.escape(str(self._path))}/", table, chosen)

    def write(self, key: str, content: bytes) -> None:
        path = self._path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_bytes(content)
        temporary.replace(path)

    def objects(self) -> tuple[Any, str]:
        return FolderBucket(self._path), ""


class _Bucket:
    """A data bucket, or a prefix of one. Region, endpoint and credentials are by AWS's usual settings."""

    def __init__(self, text: str) -> None:
        self.name = text
        address = urlsplit(text)
        if not address.netloc or address.query or address.fragment or "*" in text:
            raise QueryError(f"{text}: not a bucket; expected s3://BUCKET or s3://BUCKET/PREFIX")
        self._bucket = address.netloc
        self._prefix = f"{address.path.strip('/')}/".lstrip("/")

        import boto3  # noqa: PLC0415 - a quarter of a second that a folder's readers need not wait

        self._session = boto3.session.Session()
        self._s3: Any = self._session.client("s3")

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Load the extension that reads S3, from its package, and hand over the settings."""
        from duckdb_extensions import (  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise
            import_extension,
        )

        import_extension("httpfs", con=connection)
        connection.execute("LOAD httpfs")
        endpoint = urlsplit(self._s3.meta.endpoint_url)
        is_own = ".amazonaws." not in f".{endpoint.hostname}."
        settings = {
            "REGION": self._s3.meta.region_name,
            "ENDPOINT": endpoint.netloc,
            "URL_STYLE": "path" if is_own else "vhost",
        }
        if (found := self._session.get_credentials()) is not None:
            credentials = found.get_frozen_credentials()
            settings |= {"KEY_ID": credentials.access_key, "SECRET": credentials.secret_key}
            settings |= {"SESSION_TOKEN": credentials.token} if credentials.token else {}
        options = ", ".join(f"{name} '{value.replace("'", "''")}'" for name, value in settings.items())
        connection.execute(f"CREATE SECRET (TYPE s3, {options}, USE_SSL {str(endpoint.scheme != 'http').lower()})")

    def patterns(self, table: Table, span: Span) -> list[str]:
        folder = f"{self._prefix}{table.prefix}"
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{folder}{_DAY}", Delimiter="/"
        )
        days = [
            one["Prefix"].removeprefix(folder).rstrip("/") for page in pages for one in page.get("CommonPrefixes", [])
        ]
        chosen = _chosen(table, days, span)
        return [] if not days or chosen == [] else _below(f"{_SCHEME}{self._bucket}/{self._prefix}", table, chosen)

    def write(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=f"{self._prefix}{key}", Body=content)

    def objects(self) -> tuple[Any, str]:
        if self._prefix:
            raise QueryError(f"{self.name}: a prefix of a bucket; expected s3://BUCKET, the whole of it")
        return self._s3, self._bucket
