"""One entry of the alert log: its key and its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from alerts.notification import as_received, clean, headline
from common import recency
from common.clock import rfc3339

if TYPE_CHECKING:
    from alerts.notification import Alert
    from alerts.suppression import Claim

PREFIX: Final = "alerts/"

_LATEST_MS: Final = 10**13 - 1
"""Names begin with 13 digits, so that they sort as their times do; what was measured after 2286 was not."""

_ID_DIGITS: Final = 20


@dataclass(frozen=True)
class LogEntry:
    """An alert that was sent. The same alert has the same key, however often its record comes.

    `sent_at` is None if the time is not known any more: another process sent the alert.
    """

    alert: Alert
    claim: Claim
    sent_at: datetime | None

    @cached_property
    def id(self) -> str:
        """The same for the same subject, aircraft and update."""
        named = f"{self.claim.subject}\0{self.claim.icao_address}\0{self.claim.update_key}"
        return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_DIGITS]

    @property
    def key(self) -> str:
        """The object's key: a folder for the hour in which the update was measured, its millisecond, and the id.

        It depends on the update alone, like suppression, and not on its record's arrival: a redriven record arrives
        again.
        """
        update = self.alert.update
        measured = recency.measured(update.timestamp, update.ingestion_time)
        milliseconds = min(max(0, int(measured.timestamp() * 1_000)), _LATEST_MS)
        hour = datetime.fromtimestamp(milliseconds // 1_000, UTC)
        return f"{PREFIX}{hour:date=%Y-%m-%d/hour=%H}/{milliseconds:013}-{self.id}.json"

    def fields(self) -> dict[str, Any]:
        """Return what is shown of it, of bounded length; what is not known is left out."""
        update = self.alert.update
        fields = {
            "id": self.id,
            "rule": self.alert.finding.rule,
            "icao_address": clean(update.icao_address) or "?",  # readers need one
            "at": rfc3339(update.timestamp),
            "sent_at": None if self.sent_at is None else rfc3339(self.sent_at),
            "callsign": clean(update.callsign),
            "squawk": clean(update.squawk),
            "latitude": update.latitude,
            "longitude": update.longitude,
            "altitude_baro": update.altitude_baro,
            "text": f"{headline(self.alert)}. {self.alert.finding.meaning}",
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}

    def content(self) -> bytes:
        """Return the object: the fields and the update, as JSON; as text where not every reader would take it."""
        line = as_received(self.alert)
        try:
            msgspec.json.decode(line)
            update: Any = msgspec.Raw(line.encode())
        except (ValueError, RecursionError):  # half a surrogate pair, as a field may have it that nobody decodes
            update = line
        return msgspec.json.encode(self.fields() | {"update": update})
