"""The function's environment, read once into a typed value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOR_PYTHON = 600
"""Megabytes of the function's memory that are not DuckDB's: Python, the libraries, the batch that is being read."""

MOST_UPDATES = 20_000_000
"""That are sorted at once, but for those of one raw object."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data are, and what DuckDB may take.

    `memory_megabytes` is DuckDB's share of memory, `folder` a place for what does not fit into it. `look_back_hours` is
    how many hours of arrival a scheduled run looks through, `most_updates` how many updates are sorted at once.
    """

    data_bucket: str
    memory_megabytes: int
    folder: Path = Path("/tmp")  # noqa: S108 - what Lambda has
    look_back_hours: int = 26
    most_updates: int = MOST_UPDATES

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises
        ------
        ConfigurationError
            One is missing, or holds a value it does not take; the text names it.
        """
        memory = environment.number(environ, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 2048, low=1024, high=10_240)
        return cls(
            data_bucket=environment.text(environ, "DATA_BUCKET"),
            memory_megabytes=int(memory) - _FOR_PYTHON,
            folder=Path(environment.text(environ, "TMPDIR", "/tmp")),  # noqa: S108 - the same
        )
