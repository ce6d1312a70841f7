"""Absent objects are none, and a body that ends too early is read again from its beginning."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from urllib3.exceptions import ProtocolError

from common import s3_download


class Body:
    """Gives some bytes, and fails then if it is to."""

    def __init__(self, data, error=None):
        self._data = data
        self._error = error

    def iter_chunks(self, size):
        yield self._data[:size]
        if self._error is not None:
            raise self._error


class Bucket:
    """Answers GetObject with one answer or error after the other."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def get_object(self, **_):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": answer, "ETag": "tag"}


def refused(status, code=None):
    """What botocore makes of a status, and of the code that S3 gives with it."""
    answer = {"Error": {"Code": code or str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")


def test_an_absent_object_is_none(tmp_path):
    """No file is made of it."""
    target = tmp_path / "file"
    assert s3_download.download(Bucket(refused(404, "NoSuchKey")), "bucket", "key", target, 3) is None
    assert not target.exists()


@pytest.mark.parametrize("error", [refused(403, "AccessDenied"), refused(404, "NoSuchBucket"), refused(404)])
def test_another_refusal_is_raised_at_once(tmp_path, error):
    """Only what ends too early is asked for again; a bucket that is not there, or a page, says nothing of an object."""
    with pytest.raises(ClientError):
        s3_download.download(Bucket(error, Body(b"data")), "bucket", "key", tmp_path / "file", 3)


def test_a_body_that_ends_too_early_is_read_again(tmp_path):
    """Nothing of the first try is left, though it had more."""
    target = tmp_path / "file"
    bucket = Bucket(Body(b"more than", ProtocolError()), Body(b"data"))
    assert s3_download.download(bucket, "bucket", "key", target, 2)["ETag"] == "tag"
    assert target.read_bytes() == b"data"


def test_one_that_always_ends_too_early_is_an_error(tmp_path):
    """As often as asked, and no more."""
    bucket = Bucket(*(Body(b"data", ProtocolError()) for _ in range(2)))
    with pytest.raises(ProtocolError):
        s3_download.download(bucket, "bucket", "key", tmp_path / "file", 2)
