"""The closed copy of a part that another environment has shown and could not close, for whoever is to replace it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from aggregator.sinks.ordered_object import OrderedObject, put_once
from common.s3_errors import is_absent
from live import objects
from live.assembly import assemble
from live.container import read_header
from live.errors import SnapshotError
from live.layout import IDENTITIES, POSITIONS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from live.order import Order


def leave(  # noqa: PLR0913 - the object, and what is known of it
    client: S3Client, bucket: str, shard_id: str, order: Order, *, window_end: int, is_last: bool
) -> bool:
    """Write what the open window's object holds as a closed part, unless that is there; return whether it is by now.

    Parameters
    ----------
    order
        Of what the object holds. Should it hold something else by now, nothing is done, and False returned.
    window_end
        Where the part's window ends, if windows are as long as they are now: milliseconds since the epoch.
    is_last
        Whether another window follows, rather than another part.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        It is not there, or not for certain.
    """
    number = None if is_last else order.part
    expected = OrderedObject(client, bucket, objects.closed_window(shard_id, window_end, number))
    expected.look()
    if expected.is_there:
        return True
    key = objects.open_window(shard_id)
    positions = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        header, end = read_header(positions, POSITIONS)
    except SnapshotError:
        return True  # no reader has read it either
    if header.order != order:
        return False
    closed = objects.closed_window(shard_id, header.window_end, number)
    identities = _content(client, bucket, key + objects.IDENTITY)
    if identities is not None:
        with contextlib.suppress(SnapshotError):
            names, begin = read_header(identities, IDENTITIES)
            if names.order[:2] == order[:2]:
                body = assemble(IDENTITIES, msgspec.structs.replace(names, closed=True), [identities[begin:]])
                put_once(client, bucket, closed + objects.IDENTITY, body, names.order)
    body = assemble(POSITIONS, msgspec.structs.replace(header, closed=True), [positions[end:]])
    put_once(client, bucket, closed, body, order)
    return True


def _content(client: S3Client, bucket: str, key: str) -> bytes | None:
    """Return an object's content, None if it is not there."""
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except Exception as error:
        if not is_absent(error):
            raise
        return None
