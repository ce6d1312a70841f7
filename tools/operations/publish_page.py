"""Publishes the page's files to a stack: `pipenv run publish-page STACK`.

Only what differs is written, `index.html` last, and what the folder no longer has is removed. Then CloudFront is asked
to forget its copies.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.command import run_command
from local.web.static_files import CONTENT_TYPES
from ops.errors import explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

FOLDER = Path(__file__).resolve().parents[2] / "web"
INDEX = "index.html"
_DIGEST = "md5"
"""Name of the metadata that an object's digest is in."""
CACHE_CONTROL = "max-age=0, must-revalidate, s-maxage=86400"
"""A browser asks each time, CloudFront keeps its copy for a day or until an invalidation."""

_NEEDS = (
    "The caller needs cloudformation:DescribeStacks, s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject on "
    "the page's bucket, and cloudfront:CreateInvalidation; publish again then"
)


class PublishError(Exception):
    """The page was not published: the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a stack has its page."""

    bucket: str
    distribution: str
    address: str


@dataclass(frozen=True, slots=True)
class Published:
    """Names of what was written and of what was removed, in that order."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


def find_target(cloudformation: Any, stack: str) -> Target:
    """Return where the stack has its page.

    Raises
    ------
    PublishError
        There is no such stack here, or it has no page.
    """
    try:
        [description] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise PublishError(
                f"stack {stack}: not found in {cloudformation.meta.region_name}. Check the name; another region or "
                "account is chosen by --region and --profile"
            ) from error
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    try:
        return Target(outputs["PageBucketName"], outputs["PageDistributionId"], outputs["PageAddress"])
    except KeyError as error:
        raise PublishError(
            f"stack {stack}: is {description['StackStatus']} and has no output {error.args[0]}; expected a stack with "
            "PageAccess=password (or open-to-everyone). `pipenv run page-password` says what to set; then deploy"
        ) from error


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the page's files by name, those alone that the local run serves too.

    Raises
    ------
    PublishError
        The folder cannot be read, or is not a page's.
    """
    try:
        paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix in CONTENT_TYPES]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    except OSError as error:
        raise PublishError(f"{error.filename}: cannot be read: {error.strerror}; nothing was published") from error
    if INDEX not in files:
        raise PublishError(f"{folder}: has no {INDEX}; expected the folder of the page. Nothing was published")
    return files


def publish(s3: S3Client, bucket: str, files: Mapping[str, bytes]) -> Published:
    """Make the bucket hold these files and no others."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {one["Key"]: one["ETag"].strip('"') for page in pages for one in page.get("Contents", [])}
    changed = [name for name, content in files.items() if not _is_there(s3, bucket, name, _digest(content), there)]
    changed.sort(key=lambda name: (name == INDEX, name))  # it asks for the others
    for name in changed:
        s3.put_object(
            Bucket=bucket,
            Key=name,
            Body=files[name],
            ContentType=CONTENT_TYPES[Path(name).suffix],
            CacheControl=CACHE_CONTROL,
            Metadata={_DIGEST: _digest(files[name])},
        )
    gone = sorted(there.keys() - files.keys())
    for name in gone:
        s3.delete_object(Bucket=bucket, Key=name)
    return Published(tuple(changed), tuple(gone))


def _is_there(s3: S3Client, bucket: str, name: str, digest: str, tags: Mapping[str, str]) -> bool:
    """Return whether an object has this content.

    S3's tag is the content's MD5 where S3's own key encrypts it (AES256). Under a key of KMS it is not, and the object
    is asked for the digest it was put with.
    """
    if name not in tags:
        return False
    return tags[name] == digest or s3.head_object(Bucket=bucket, Key=name)["Metadata"].get(_DIGEST) == digest


def _digest(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Publish as the command line says; return 1 if it could not be done."""
    options = _parser().parse_args(arguments)
    try:
        files = read_files(options.folder)
        session = boto3.Session(region_name=options.region, profile_name=options.profile)
        target = find_target(session.client("cloudformation"), options.stack)
        published = publish(session.client("s3"), target.bucket, files)
        session.client("cloudfront").create_invalidation(  # always: an earlier call may have ended before it got here
            DistributionId=target.distribution,
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": ["/*"]},  # charged as one path
                "CallerReference": str(uuid.uuid4()),
            },
        )
    except (PublishError, BotoCoreError, ClientError) as error:
        print(f"publish-page: {explained(error, _NEEDS)}", file=sys.stderr)  # noqa: T201 - a command line talks
        return 1
    except KeyboardInterrupt:
        print("\npublish-page: interrupted; publish again to make it whole", file=sys.stderr)  # noqa: T201 - the same
        return 130
    for done, names in (("written", published.written), ("removed", published.removed)):
        for name in names:
            print(f"{done}: {name}")  # noqa: T201 - the same
    print(f"{len(files)} files, {len(published.written)} of them written. {target.address}")  # noqa: T201 - the same
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pipenv run publish-page",
        description="Put the files of web/ where a stack with PageAccess=password (or open-to-everyone) shows them.",
    )
    parser.add_argument("stack", metavar="STACK", help="the stack's name, e.g. aircraft-stream-dev")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the page's files (default: web/)")
    parser.add_argument("--region", help="default: as the shell or the profile says")
    parser.add_argument("--profile", help="profile of ~/.aws/config (default: as the shell says)")
    return parser


if __name__ == "__main__":
    run_command("publish-page", main)
