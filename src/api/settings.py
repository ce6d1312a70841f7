"""The function's environment, read once into a typed value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common import environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data are."""

    data_bucket: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises
        ------
        ConfigurationError
            One is missing; the text names it.
        """
        return cls(data_bucket=environment.text(environ, "DATA_BUCKET"))
