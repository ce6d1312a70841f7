"""The KMS permissions that a call needs for the key of its resource, by each service's guide on encryption.

S3 with bucket keys names the bucket, not the object, and asks for both actions where an object is written: it reads its
bucket key before it uses it. Firehose and CloudWatch Logs use a key by their own grants and policies, in nobody's
name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.aws.moto import REGION
from local.faults.aws.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECRYPT, _GENERATE = "kms:Decrypt", "kms:GenerateDataKey"
_ACTIONS = {
    "kinesis:GetRecords": (_DECRYPT,),
    "kinesis:PutRecord": (_GENERATE,),
    "kinesis:PutRecords": (_GENERATE,),
    "s3:GetObject": (_DECRYPT,),
    "s3:GetObjectVersion": (_DECRYPT,),
    "s3:PutObject": (_DECRYPT, _GENERATE),
    "dynamodb:GetItem": (_DECRYPT,),
    "dynamodb:PutItem": (_DECRYPT,),
    "dynamodb:UpdateItem": (_DECRYPT,),
    "dynamodb:DeleteItem": (_DECRYPT,),
    "dynamodb:Query": (_DECRYPT,),
    "dynamodb:Scan": (_DECRYPT,),
    "secretsmanager:GetSecretValue": (_DECRYPT,),
    "secretsmanager:PutSecretValue": (_DECRYPT, _GENERATE),
    "sns:Publish": (_DECRYPT, _GENERATE),
    "sqs:SendMessage": (_DECRYPT, _GENERATE),
}
_CONTEXT_KEYS = {
    "kinesis": "aws:kinesis:arn",
    "s3": "aws:s3:arn",
    "dynamodb": "aws:dynamodb:tableName",
    "secretsmanager": "SecretARN",
    "sns": "aws:sns:topicArn",
    "sqs": "aws:sqs:arn",
}


def asked_of(key: str, permission: Permission) -> Iterator[Permission]:
    """Yield what a service asks of `key` in the caller's name, when the caller does what `permission` is for."""
    service = permission.action.partition(":")[0]
    for action in _ACTIONS.get(permission.action, ()):
        context = {
            "kms:ViaService": f"{service}.{REGION}.amazonaws.com",
            f"kms:EncryptionContext:{_CONTEXT_KEYS[service]}": _named(service, permission.resource),
        }
        yield Permission(action, key, tuple(context.items()))


def _named(service: str, resource: str) -> str:
    """Return how a service names a resource in its encryption context."""
    if service == "s3":
        return resource.partition("/")[0]
    return resource.rpartition("/")[2] if service == "dynamodb" else resource
