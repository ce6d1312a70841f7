"""The run's result: the figures of `--report`, the sentences about them, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.audit.envelope import ENVELOPE, SINGLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.audit.archive import ArchiveFigures
    from local.audit.ledger import RowFigures, StreamFigures
    from local.runtime.invocation import InvocationResult


@dataclass(frozen=True, slots=True)
class ConsumerFigures:
    """The consumer's invocations; `reading_share` is weighted by how long each took, 0 when there was none.

    A hard stop is an invocation that did not end at a token: a timeout, an exception, a killed process.
    """

    invocations: int
    graceful_stops: int
    hard_stops: int
    reading_share: float


def consumer_figures(results: Sequence[InvocationResult]) -> ConsumerFigures:
    """Sum up the consumer's invocations from its summaries (`docs/design.md`)."""
    graceful = 0
    seconds = read = 0.0
    for result in results:
        summary = result.payload if result.function_error is None and isinstance(result.payload, dict) else {}
        graceful += summary.get("graceful") is True
        share = summary.get("reading_share")
        if isinstance(share, int | float):
            seconds += result.seconds
            read += share * result.seconds
    return ConsumerFigures(
        len(results), graceful, len(results) - graceful, round(read / seconds, 4) if seconds else 0.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of a run. `complete` is False where the run could not be brought to its proper end.

    `records` are those that the updates came in, `misplaced` the envelopes among them that a reshard put into another
    shard than they name. `dead_letters` and `unkept` count the records that the event source mappings gave up: those in
    the failures bucket, and those that no on-failure destination took. `moving_seconds` pass from the first update that
    the source sends to the end of the last invocation of the last function, None where nothing was sent.
    `is_source_known` is False where somebody else serves the stream: then `stream` is Kinesis against itself, and what
    was sent, lost before it, or came in another order is not known.
    """

    kind: str
    connections: int
    stream: StreamFigures
    rows: RowFigures
    aggregator_invocations: int
    alerts_invocations: int
    notified: int
    suppressed: int
    consumer: ConsumerFigures
    rejected: int
    dead_letters: int
    elapsed_seconds: float
    moving_seconds: float | None
    archive: ArchiveFigures | None
    unkept: int = 0
    record_format: str = SINGLE
    records: int = 0
    misplaced: int = 0
    complete: bool = True
    is_source_known: bool = True

    @property
    def updates_per_second(self) -> float:
        """Updates in Kinesis by the seconds from the first one sent to the end of the last function's last invocation.

        Starting the stack and the consumer lies before that, counting after it; the other functions' starts within it.
        """
        return self.stream.updates / self.moving_seconds if self.moving_seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what `--report` writes."""
        envelopes = {"envelopes": {"records": self.records, "misplaced": self.misplaced}}
        known = self.is_source_known
        return {
            "complete": self.complete,
            "losses": self.losses(),
            "source": {
                "kind": self.kind,
                "updates": self.stream.source if known else None,
                "connections": self.connections if known else None,
            },
            "kinesis": {
                "updates": self.stream.updates,
                "lost": self.stream.lost if known else None,
                "duplicates": self.stream.duplicates,
                "out_of_order": self.stream.out_of_order if known else None,
                "unexpected": self.stream.unexpected,
            },
            "aggregator": {
                "invocations": self.aggregator_invocations,
                "windows": self.rows.windows,
                "updates": self.rows.updates,
                "rows": self.rows.rows,
                "totals": self.rows.totals,
                "miscounted": self.rows.miscounted,
                "mistotalled": self.rows.mistotalled,
                "contradictions": self.rows.contradictions,
            },
            "alerts": {
                "invocations": self.alerts_invocations,
                "notified": self.notified,
                "suppressed": self.suppressed,
            },
            "consumer": {
                "invocations": self.consumer.invocations,
                "graceful_stops": self.consumer.graceful_stops,
                "hard_stops": self.consumer.hard_stops,
                "reading_share": self.consumer.reading_share,
            },
            "archive": self.archive
            and {
                "hours": self.archive.hours,
                "updates": self.archive.updates,
                "missing": self.archive.missing,
                "doubled": self.archive.doubled,
                "unexpected": self.archive.unexpected,
            },
            "rejected": self.rejected,
            "dead_letters": self.dead_letters,
            "unkept": self.unkept,
            "elapsed_seconds": round(self.elapsed_seconds, 1),
            "updates_per_second": round(self.updates_per_second, 1),
            **(envelopes if self.record_format == ENVELOPE else {}),
        }

    def losses(self) -> list[str]:
        """Return a sentence for each thing that makes the run a failure: something is lost, or does not add up.

        The rows are held against the stream window by window and aircraft by aircraft: see `ledger.count_rows`.
        """
        found = []
        if self.stream.lost:
            found.append(f"{self.stream.lost:,} of {self.stream.source:,} updates are not in Kinesis.")
        if self.stream.unexpected:
            found.append(f"{self.stream.unexpected:,} records in Kinesis are no updates that the source sent.")
        found += self._losses_of_rows()
        if self.dead_letters:
            found.append(f"{self.dead_letters:,} records were given up and lie in the failures bucket.")
        if self.unkept:
            found.append(f"{self.unkept:,} records were given up, and no on-failure destination took them.")
        if self.archive is not None:
            found += self.archive.losses()
        if not self.is_source_known and self.consumer.invocations and not self.consumer.graceful_stops:
            found.append("No run of the consumer reached a position token: see the messages above.")
        if not self.complete:
            found.append("The run did not come to its proper end: see the messages above.")
        return found

    def _losses_of_rows(self) -> list[str]:
        found = []
        if self.rows.miscounted:
            found.append(
                f"The window rows of {self.rows.miscounted:,} aircraft count other than Kinesis holds in the window: "
                f"{self.rows.updates:,} updates for {self.stream.updates:,} in all; {self.rows.example}."
            )
        if self.rows.mistotalled or self.rows.totals != self.rows.updates:
            found.append(
                f"The rows of aircraft count {self.rows.updates:,} updates, the totals {self.rows.totals:,}; "
                f"they differ in {self.rows.mistotalled:,} parts of windows."
            )
        if self.rows.contradictions:
            found.append(f"{self.rows.contradictions:,} window rows have the key of another and say something else.")
        return found

    def notes(self) -> list[str]:
        """Return a sentence for each thing worth a look that lost nothing."""
        found = []
        if not self.stream.source:
            what = "The source sent no update" if self.is_source_known else "No update came from the stream"
            found.append(f"{what}: nothing was put to the test.")
        if self.consumer.hard_stops:
            found.append(f"{self.consumer.hard_stops:,} runs of the consumer did not end at a position token.")
        if self.stream.duplicates:
            found.append(f"{self.stream.duplicates:,} updates are in Kinesis more than once.")
        if self.stream.out_of_order:
            found.append(f"{self.stream.out_of_order:,} updates come after a later one of the same aircraft.")
        if self.rejected:
            found.append(f"{self.rejected:,} lines were rejected and are kept in the state bucket.")
        return found

    @property
    def exit_code(self) -> int:
        """0 when nothing was lost, otherwise 1."""
        return 1 if self.losses() else 0
