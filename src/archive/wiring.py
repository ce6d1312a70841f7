"""Puts the archive together, once per execution environment."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from archive.archiving import Archiving
from archive.settings import Settings
from archive.staging import Staging
from archive.store import Store
from common import aws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from archive.report import Report

S3: Final[Mapping[str, Any]] = {
    "retries": {"mode": "standard", "total_max_attempts": 5},
    "connect_timeout": 2,
    "read_timeout": 60,
}


@cache
def settings() -> Settings:
    """Return the function's settings, read at the first invocation.

    Raises
    ------
    common.environment.ConfigurationError
        A setting is missing or wrong; the invocation fails with a text, not the import.
    """
    return Settings.from_environment(os.environ)


@cache
def store() -> Store:
    """Return the data bucket."""
    return Store(aws.client("s3", S3), settings().data_bucket)


def run(
    arrivals: Sequence[datetime], remaining: Callable[[], float], report: Report, *, again: bool, after: str
) -> None:
    """Run once, in a separate folder that is gone afterwards, whatever happens; see `Archiving.run`."""
    with tempfile.TemporaryDirectory(dir=settings().folder) as name:
        folder = Path(name)
        staging = Staging(folder, settings().memory_megabytes)
        try:
            archiving = Archiving(store(), staging, folder, settings().most_updates)
            archiving.run(arrivals, remaining, report, again=again, after=after)
        finally:
            staging.close()
