"""With `LogLevel=DEBUG`: logs what an invocation did, and a sample of its updates."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from common import kinesis_event
from common.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aggregator.aggregation import Outcome
    from common.update_log import UpdateLog


def show(log: UpdateLog, event: Mapping[str, Any], outcome: Outcome) -> None:
    """Write one line about the invocation, and few about its updates; they are read once more for it."""
    counts = {name: value for name, value in asdict(outcome).items() if name != "state"}
    logger.debug("batch folded", extra={"records": len(event.get("Records") or ()), **counts})
    for data in log.pick(_updates(event)):
        log.show(data, "folded into the window")


def _updates(event: Mapping[str, Any]) -> Iterator[bytes]:
    for _, lines, updates in kinesis_event.blocks(event.get("Records") or ()):
        yield from lines.split(b"\n")[:updates]
