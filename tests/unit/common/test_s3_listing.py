"""What a bucket lists: page by page, whole, or not at all."""

from __future__ import annotations

import boto3
import pytest

from common.acknowledgements import UnacknowledgedError
from common.s3_listing import Listed, listed


class Pages:
    """A client that lists these entries, a page each."""

    def __init__(self, *entries):
        self._entries = entries

    def get_paginator(self, _):
        """Return what gives the pages."""
        return self

    def paginate(self, **_):
        """Yield them, the first of which is empty."""
        yield {}
        yield from ({"Contents": [entry]} for entry in self._entries)


def test_the_objects_below_a_prefix(aws):
    """With their tags and sizes."""
    s3 = boto3.client("s3", endpoint_url=aws)
    s3.create_bucket(Bucket="data")
    tags = [s3.put_object(Bucket="data", Key=key, Body=b"1234")["ETag"] for key in ("a/1", "a/2", "b/1")]
    assert list(listed(s3, "data", "a/")) == [Listed("a/1", tags[0], 4), Listed("a/2", tags[1], 4)]
    assert list(listed(s3, "data", "c/")) == []


def test_the_objects_of_all_pages():
    """One after the other."""
    entries = [{"Key": str(number), "ETag": "tag", "Size": 0} for number in range(3)]
    assert [one.key for one in listed(Pages(*entries), "data", "")] == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["Key", "ETag", "Size"])
def test_an_entry_that_lacks_something_is_no_answer_of_s3s(name):
    """The error says what, and of which object."""
    entry = {"Key": "raw/a", "ETag": "tag", "Size": 1}
    del entry[name]
    expected = f"ListObjectsV2 has an entry .{entry.get('Key', 'of no name')}. without {name}: it did not come from AWS"
    with pytest.raises(UnacknowledgedError, match=expected):
        list(listed(Pages(entry), "data", ""))
