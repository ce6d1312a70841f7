"""Puts the making of flights together, once per execution environment."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from common import aws
from flights.airports import Airports
from flights.making import Making
from flights.settings import Settings
from flights.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

S3: Final[Mapping[str, Any]] = {
    "retries": {"mode": "standard", "total_max_attempts": 4},
    "connect_timeout": 5,
    "read_timeout": 30,
}


@cache
def making() -> Making:
    """Return the process's, made at the first invocation.

    Raises
    ------
    common.environment.ConfigurationError
        A setting is missing or wrong; the invocation fails with a text, not the import.
    """
    settings = Settings.from_environment(os.environ)
    store = Store(aws.client("s3", S3), settings.data_bucket)
    return Making(store, Airports.shipped(), Path(tempfile.gettempdir()), settings.duckdb_megabytes)
