"""The function's environment, read once into a typed value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common import environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of the resources the function writes to."""

    window_rows_stream_name: str
    aircraft_table_name: str
    """It holds what a failed delivery leaves, and the latest states if `latest_states` says so."""
    latest_states: bool
    data_bucket: str | None
    """Where `live/` is; None leaves the live objects out."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises
        ------
        ConfigurationError
            One is missing; the text names it.
        """
        return cls(
            window_rows_stream_name=environment.text(environ, "WINDOW_ROWS_STREAM_NAME"),
            aircraft_table_name=environment.text(environ, "AIRCRAFT_TABLE_NAME"),
            latest_states=environment.text(environ, "LATEST_STATE_TABLE", "on") == "on",
            data_bucket=environ.get("DATA_BUCKET", "").strip() or None,
        )
