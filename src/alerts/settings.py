"""The function's settings, read once from its environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alerts.suppression import LONGEST_SUPPRESSION
from common import environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Suppression table and time, alert topic and log, and the patterns that an update has to match.

    `alert_patterns` is for the updates of envelopes: the text as it is in the environment, empty if it is not set. A
    deployment that publishes single records needs none, so it is parsed when the first envelope comes.
    """

    suppression_table_name: str
    suppression: timedelta
    alerts_topic_arn: str
    data_bucket: str
    alert_patterns: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises
        ------
        common.environment.ConfigurationError
            One is missing, or holds a value it does not take.
        """
        # Not zero: a window that ends where it starts would not know its own update when the batch is sent again.
        seconds = environment.number(
            environ, "SUPPRESSION_SECONDS", default=900, low=1, high=LONGEST_SUPPRESSION.total_seconds()
        )
        return cls(
            suppression_table_name=environment.text(environ, "SUPPRESSION_TABLE_NAME"),
            suppression=timedelta(seconds=seconds),
            alerts_topic_arn=environment.text(environ, "ALERTS_TOPIC_ARN"),
            data_bucket=environment.text(environ, "DATA_BUCKET"),
            alert_patterns=environment.text(environ, "ALERT_PATTERNS", ""),
        )
