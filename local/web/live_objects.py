"""The live objects of the stack's bucket over HTTP: conditional, and in byte ranges, as CloudFront gives them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from local.web.answer import Answer, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

_JSON = ".json"


class LiveObjects:
    """Serves what lies under `live/` in a bucket."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET of `path`, which begins with `/live/`."""
        key = unquote(path).removeprefix("/")
        asked = {"IfNoneMatch": headers.get("If-None-Match"), "Range": headers.get("Range")}
        try:
            got = self._s3.get_object(
                Bucket=self._bucket,
                Key=key,
                **{name: value for name, value in asked.items() if value},  # type: ignore[arg-type]
            )
            body = got["Body"].read()
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == HTTPStatus.NOT_MODIFIED:
                return Answer(HTTPStatus.NOT_MODIFIED, {"ETag": headers["If-None-Match"], "Cache-Control": "no-cache"})
            known = {HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}
            return plain(HTTPStatus(status) if status in known else HTTPStatus.BAD_GATEWAY, f"{path}: {error}")
        except BotoCoreError as error:
            return plain(HTTPStatus.BAD_GATEWAY, f"{path}: the local AWS does not answer: {error}")
        answered = {
            "Content-Type": "application/json" if key.endswith(_JSON) else "application/octet-stream",
            "ETag": got["ETag"],
            "Cache-Control": "no-cache",
            "Accept-Ranges": "bytes",
        }
        partial = got.get("ContentRange")
        if partial:
            answered["Content-Range"] = partial
        return Answer(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK, answered, body)
