"""The load that is planned for: given, measured from a recording, or read from a stack's metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.cost.model import UPDATE_BYTES
from common.target_update import UndecodableUpdateError, decode
from ops import metrics, template
from ops.errors import OpsError
from ops.explain import records
from ops.metrics import Query

if TYPE_CHECKING:
    from pathlib import Path

    from ops.stack import Stack

WINDOW_SECONDS = 60
MATCHING = 0.001
"""Assumed where nothing is known: emergencies and steep descents are rarer."""
_MOST_RECORDED = 500_000


@dataclass(frozen=True, slots=True)
class Load:
    """Updates a second, the mean bytes of one, and how many aircraft are heard of within a minute.

    `matching` is the share of updates that the alerts' filter lets through.
    """

    rate: float
    update_bytes: float
    aircraft: int
    source: str
    matching: float = MATCHING

    def text(self) -> str:
        """Return it for people, on one line."""
        return (
            f"load, {self.source}: {self.rate:,.1f} updates/s of {self.update_bytes:,.0f} bytes, "
            f"{self.aircraft:,} aircraft, {100 * self.matching:.2g} % of updates to the alerts"
        )


def of_recording(path: Path) -> Load:
    """Measure a recording, by the times at which its updates were ingested.

    Raises
    ------
    OpsError
        It holds no updates, or all of one moment.
    """
    times: list[datetime] = []
    aircraft: dict[int, set[str]] = {}
    size = 0
    for _, data in records(path):
        try:
            update = decode(data)
        except UndecodableUpdateError:
            continue
        moment = update.ingestion_time or update.timestamp
        times.append(moment)
        aircraft.setdefault(int(moment.timestamp() // WINDOW_SECONDS), set()).add(update.icao_address)
        size += len(data)
        if len(times) == _MOST_RECORDED:
            break
    seconds = (max(times) - min(times)).total_seconds() if times else 0.0
    if seconds <= 0:
        raise OpsError(f"{path}: {len(times)} updates within {seconds:g} s; expected a recording of some minutes")
    most = max(len(one) for one in aircraft.values())
    return Load(
        len(times) / seconds, size / len(times), most, f"{path.name}: {len(times):,} updates in {seconds:,.0f} s"
    )


def of_stack(stack: Stack, hours: float) -> Load:
    """Read a stack's metrics: the busiest minute of the last hours.

    Raises
    ------
    OpsError
        There are none.
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        AWS cannot be asked.
    """
    parameters = template.read(stack).parameters
    ours, stream = parameters["MetricsNamespace"], {"StreamName": stack["UpdatesStream"]}
    queries = {
        "updates": Query(ours, "UpdatesPublished", {"service": "consumer"}, "Sum", "Maximum"),
        "rows": Query(ours, "WindowRowsWritten", {"service": "aggregator"}, "Sum", "Maximum"),
        "records": Query("AWS/Kinesis", "IncomingRecords", stream, "Sum"),
        "bytes": Query("AWS/Kinesis", "IncomingBytes", stream, "Sum"),
        "all": Query(ours, "UpdatesPublished", {"service": "consumer"}, "Sum"),
        "notified": Query(ours, "AlertsNotified", {"service": "alerts"}, "Sum"),
        "suppressed": Query(ours, "AlertsSuppressed", {"service": "alerts"}, "Sum"),
    }
    found = metrics.read(stack.client("cloudwatch"), queries, datetime.now(UTC), timedelta(hours=hours))
    if not found.get("updates"):
        raise OpsError(f"stack {stack.name}: has no UpdatesPublished of the last {hours:g} hours. Give --rate instead")
    is_single = parameters.get("RecordFormat") != "envelope"
    known = is_single and found.get("records") and found.get("bytes")
    size = found["bytes"] / found["records"] if known else float(UPDATE_BYTES)
    alerts = found.get("notified", 0.0) + found.get("suppressed", 0.0)
    return Load(
        found["updates"] / 60,
        size,
        round(found.get("rows", 0)) or 1,
        f"the busiest minute of the last {hours:g} hours",
        min(1.0, alerts / found["all"]) or MATCHING,
    )
