"""Time-outs of AWS calls: all of an alert's calls must fit into the rest of an invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 3.0
ATTEMPTS: Final = 2
LONGEST_RETRY_PAUSE_SECONDS: Final = 1.0
"""botocore's standard retry mode waits up to one second before its first retry (developer guide, Retries)."""

CALL_SECONDS: Final = ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS) + LONGEST_RETRY_PAUSE_SECONDS
"""The longest that one call takes. The defaults would be 60 seconds an attempt: longer than the whole invocation."""

ALERT_SECONDS: Final = 4 * CALL_SECONDS
"""The longest that one alert takes: claim (a write that is refused, and one that is not), publish, mark."""

LEAST_SECONDS: Final = ALERT_SECONDS + CALL_SECONDS
"""What has to be left when an alert is begun: its own time, and that of a note of how far its envelope has come.
The function's timeout must be well above."""

OPTIONS: Final[Mapping[str, Any]] = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
    "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
}
