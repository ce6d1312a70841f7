"""Patches moto's Firehose to evaluate the times in object prefixes, which moto takes literally."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from moto.firehose.models import FirehoseBackend

from local.aws.object_prefix import evaluated
from local.clock import SystemClock


def install() -> None:
    """Change moto in this process."""
    FirehoseBackend._format_s3_object_path = staticmethod(_object_path)  # type: ignore[method-assign]  # noqa: SLF001 -- there is no other way in


def _object_path(delivery_stream_name: str, version_id: str, prefix: str) -> str:
    """Return an object's key, as Firehose names it; a prefix without times is followed by the hour."""
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    folder = evaluated(prefix, now) if "!{" in prefix else f"{prefix}{now:%Y/%m/%d/%H}/"
    return f"{folder}{delivery_stream_name}-{version_id}-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"
