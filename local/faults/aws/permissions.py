"""The IAM permissions that a call needs, as the Service Authorization Reference lists them.

Only the operations that the system has a use for stand here. One that does not is no call the local AWS lets through:
what nobody has looked up, nobody can have granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from local.aws.moto import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.faults.aws.calls import Call, Request


class UnknownPermissionError(LookupError):
    """What a call needs to be allowed is not known here."""


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action on a resource, by its ARN; `context` is what conditions may ask for, by the condition keys."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


class _Names(msgspec.Struct):
    """Where the JSON services' calls name their resource."""

    stream_arn: str = msgspec.field(name="StreamARN", default="")
    stream_name: str = msgspec.field(name="StreamName", default="")
    delivery_stream_name: str = msgspec.field(name="DeliveryStreamName", default="")
    table_name: str = msgspec.field(name="TableName", default="")
    secret_id: str = msgspec.field(name="SecretId", default="")
    queue_url: str = msgspec.field(name="QueueUrl", default="")
    queue_name: str = msgspec.field(name="QueueName", default="")


_names = msgspec.json.Decoder(_Names)


def needed(call: Call, request: Request) -> tuple[Permission, ...]:
    """Return all that a call needs to be allowed.

    Raises
    ------
    UnknownPermissionError
        The operation is not known here, or the request does not name its resource.
    """
    find = _OPERATIONS.get((call.service, call.operation))
    if find is None:
        raise UnknownPermissionError(
            f"{call.service} {call.operation}: what this needs to be allowed is not known to the local AWS; "
            "expected an operation of local/faults/aws/permissions.py. Look it up, and add it there"
        )
    return find(call, request)


def existence_of_key(request: Request) -> Permission:
    """Return the permission that lets a caller learn of an absent object; without it S3 answers 403, not 404."""
    bucket, _ = request.bucket_and_key
    return Permission("s3:ListBucket", f"arn:aws:s3:::{bucket}")


def _arn(call: Call, kind: str, name: str) -> str:
    if not name:
        raise UnknownPermissionError(f"{call.service} {call.operation}: the request does not name its {kind}")
    return name if name.startswith("arn:") else f"arn:aws:{call.service}:{REGION}:{ACCOUNT}:{kind}{name}"


def _same_name(call: Call, arn: str) -> tuple[Permission, ...]:
    """Return the action that is called like the operation, as with most services."""
    return (Permission(f"{call.service}:{call.operation}", arn),)


def _kinesis(call: Call, request: Request) -> tuple[Permission, ...]:
    names = _names.decode(request.body)
    return _same_name(call, _arn(call, "stream/", names.stream_arn or names.stream_name))


def _firehose(call: Call, request: Request) -> tuple[Permission, ...]:
    return _same_name(call, _arn(call, "deliverystream/", _names.decode(request.body).delivery_stream_name))


def _dynamodb(call: Call, request: Request) -> tuple[Permission, ...]:
    return _same_name(call, _arn(call, "table/", _names.decode(request.body).table_name))


def _secretsmanager(call: Call, request: Request) -> tuple[Permission, ...]:
    # A bare name lacks the six characters its ARN ends with, and so matches no policy that names the secret itself.
    return _same_name(call, _arn(call, "secret:", _names.decode(request.body).secret_id))


def _sns_publish(call: Call, request: Request) -> tuple[Permission, ...]:
    form = request.form
    topic = (form.get("TopicArn") or form.get("TargetArn") or [""])[0]
    return (Permission("sns:Publish", _arn(call, "", topic)),)


def _sqs(call: Call, request: Request) -> tuple[Permission, ...]:
    names = _names.decode(request.body)
    return _same_name(call, _arn(call, "", names.queue_name or urlsplit(names.queue_url).path.rpartition("/")[2]))


def _bucket(action: str) -> Callable[[Call, Request], tuple[Permission, ...]]:
    return lambda _call, request: (Permission(action, f"arn:aws:s3:::{request.bucket_and_key[0]}"),)


def _object(action: str, versioned: str) -> Callable[[Call, Request], tuple[Permission, ...]]:
    def find(_call: Call, request: Request) -> tuple[Permission, ...]:
        return (Permission(versioned if "versionId" in request.query else action, _object_arn(request)),)

    return find


def _put_object(_call: Call, request: Request) -> tuple[Permission, ...]:
    actions = ["s3:PutObject"]
    if "if-match" in request.headers:
        actions.append("s3:GetObject")  # S3's guide on conditional writes: who compares with an ETag may also read it
    actions += [action for header, action in _PUT_HEADERS.items() if header in request.headers]
    return tuple(Permission(action, _object_arn(request)) for action in actions)


def _object_arn(request: Request) -> str:
    bucket, key = request.bucket_and_key
    return f"arn:aws:s3:::{bucket}/{key}"


_PUT_HEADERS = {"x-amz-acl": "s3:PutObjectAcl", "x-amz-tagging": "s3:PutObjectTagging"}

_OPERATIONS: dict[tuple[str, str], Callable[[Call, Request], tuple[Permission, ...]]] = {
    **{
        ("kinesis", operation): _kinesis
        for operation in (
            "DescribeStream",
            "DescribeStreamSummary",
            "GetRecords",
            "GetShardIterator",
            "ListShards",
            "PutRecord",
            "PutRecords",
        )
    },
    **{
        ("dynamodb", operation): _dynamodb
        for operation in ("DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
    },
    **{("firehose", operation): _firehose for operation in ("PutRecord", "PutRecordBatch")},
    **{("secretsmanager", operation): _secretsmanager for operation in ("GetSecretValue", "PutSecretValue")},
    **{("sqs", operation): _sqs for operation in ("GetQueueUrl", "SendMessage")},
    ("sns", "Publish"): _sns_publish,
    ("sns", "PublishBatch"): _sns_publish,
    ("s3", "GetObject"): _object("s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "HeadObject"): _object("s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "DeleteObject"): _object("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "PutObject"): _put_object,
    ("s3", "ListObjects"): _bucket("s3:ListBucket"),
    ("s3", "ListObjectsV2"): _bucket("s3:ListBucket"),
    ("s3", "HeadBucket"): _bucket("s3:ListBucket"),
    ("s3", "GetBucketLocation"): _bucket("s3:GetBucketLocation"),
}
