"""The function's settings, read once from its environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from common import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARE: Final = 0.5
"""Of the function's memory, for DuckDB; an aircraft's positions and a day's index take some of the rest."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data are, and how much memory DuckDB may take."""

    data_bucket: str
    duckdb_megabytes: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises
        ------
        common.environment.ConfigurationError
            One is missing, or holds a value it does not take.
        """
        memory = environment.number(environ, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", default=2_048, low=512, high=10_240)
        return cls(environment.text(environ, "DATA_BUCKET"), round(memory * _SHARE))
