"""The state of the consumer: its last status, and the schedule that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from live import objects
from ops import stored
from ops.finding import ATTENTION, OK, SWITCH_ON, UNKNOWN, Finding
from ops.looks.reading import runbook, span_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.looks.reading import Reading

OLD_TOKEN_SECONDS = 120.0
"""CommittedTokenAgeAlarm's threshold (template.yaml)."""


class ConsumerLooks:
    """Looks at the function that reads the stream."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def consumer(self) -> Iterator[Finding]:
        """Look at what it said of itself last."""
        body = self._reading.get("DataBucket", objects.STATUS)
        if body is None:
            do = "has a run begun? `ops doctor` says what keeps it"
            yield Finding("consumer", UNKNOWN, f"{objects.STATUS} is not there yet", do)
            return
        status = stored.decoded(body, objects.STATUS, stored.Status)
        written = self._reading.age(status.written_at)
        facts = stored.decoded(body, objects.STATUS, dict[str, Any]) | {"status_age_seconds": written}
        token = status.committed_token_age_seconds
        # Ages go on from when they were written.
        token_age = None if token is None or written is None else token + written
        parts = [
            f"{status.received_per_second:,.0f} updates/s in",
            f"{status.published_per_second:,.0f} out",
            f"lag {span_text(status.source_lag_seconds)}",
            f"committed token {span_text(token_age)} old",
            f"reading {100 * status.reading_share:.1f} % of the time",
        ]
        if gap := status.recovering_gap:
            parts.append(f"recovering {gap.start} to {gap.end}")
        if status.run_failed:
            yield Finding(
                "consumer", ATTENTION, f"its last run failed: {status.run_failed}", runbook("consumer-errors"), facts
            )
        elif token_age is None or token_age > OLD_TOKEN_SECONDS + status.pause:
            yield Finding("consumer", ATTENTION, ", ".join(parts), runbook("committed-token-age"), facts)
        else:
            yield Finding("consumer", OK, ", ".join(parts), "", facts)

    def schedule(self) -> Iterator[Finding]:
        """Look at whether its rule is on."""
        rule = self._reading.stack.client("events").describe_rule(
            Name=self._reading.stack["ConsumerSchedule"].rpartition("/")[2]
        )
        state, facts = rule["State"], {"state": rule["State"], "expression": rule.get("ScheduleExpression")}
        if state == "ENABLED":
            yield Finding("schedule", OK, f"on, {rule.get('ScheduleExpression')}", "", facts)
        else:
            yield Finding("schedule", ATTENTION, "off: no run begins", SWITCH_ON, facts)
