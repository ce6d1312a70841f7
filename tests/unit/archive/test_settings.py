"""The function's environment: what DuckDB may take, and where the data are."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.settings import Settings
from common.environment import ConfigurationError


def test_duckdb_has_what_python_does_not_need():
    """Of the memory that Lambda gives the function."""
    settings = Settings.from_environment({"DATA_BUCKET": "data", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"})
    assert (settings.data_bucket, settings.memory_megabytes, settings.folder) == ("data", 1448, Path("/tmp"))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "DATA_BUCKET"),
        ({"DATA_BUCKET": "data", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    ],
    ids=["no-bucket", "too-little-memory"],
)
def test_what_is_missing_or_wrong_is_named(environment, named):
    """By the variable."""
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_environment(environment)


def test_what_does_not_fit_goes_to_the_temporary_folder():
    """Lambda's own, unless the environment has another: a local one lasts no longer than its process."""
    assert Settings.from_environment({"DATA_BUCKET": "data", "TMPDIR": "/own"}).folder == Path("/own")
