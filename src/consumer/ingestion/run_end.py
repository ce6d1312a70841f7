"""The end of a run: waits for acknowledgements, commits, releases the lease, and hands over to the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.observability import logger
from consumer.errors import PublishError
from consumer.ingestion.telemetry import count
from consumer.ingestion.time_budget import RESERVE_SECONDS

if TYPE_CHECKING:
    from consumer.checkpoint.committer import Committer
    from consumer.checkpoint.position import Position
    from consumer.checkpoint.store import CheckpointStore
    from consumer.deadline import Deadline
    from consumer.ingestion.deduplicator import DuplicateFilter
    from consumer.ingestion.handover import Handover
    from consumer.publish.publisher import Publisher
    from consumer.stream.batch_parser import BatchParser

_LAST_WRITES_SECONDS = 0.5
"""Part of the reserve: what the last writes of the checkpoint may take, twice as long as one of the last few took."""

_LONGEST_RESERVE = 0.25
"""Share of a run that is kept for its end at most: where S3 takes longer still, the end is cut short."""


def reserve(checkpoint: CheckpointStore, run_seconds: float) -> float:
    """Return the seconds that are kept for the end: the last acknowledgements, a write under way and the last."""
    usual = max(RESERVE_SECONDS, 2 * _LAST_WRITES_SECONDS + 2 * checkpoint.slowest_write)
    return min(usual, run_seconds * _LONGEST_RESERVE)


class RunEnd:
    """The end of one run; `finish` once."""

    def __init__(  # noqa: PLR0913, PLR0917 - whom it ends, and for whom it leaves the rest
        self,
        publisher: Publisher,
        committer: Committer,
        checkpoint: CheckpointStore,
        handover: Handover,
        parser: BatchParser,
        deadline: Deadline,
        *,
        run_seconds: float,
    ) -> None:
        """End a run that had so many seconds, by its `deadline`."""
        self.may_hand_over = False
        """Whether it is known what was read, and what became of it: not after an unforeseen error."""
        self._publisher = publisher
        self._committer = committer
        self._checkpoint = checkpoint
        self._handover = handover
        self._parser = parser
        self._deadline = deadline
        self._run_seconds = run_seconds

    def finish(self, position: Position | None, duplicates: DuplicateFilter) -> bool:
        """Wait for acknowledgements, commit what was read, give the lease back; return whether all was acknowledged.

        The run began at `position`; `duplicates` knows what it read.

        Raises
        ------
        PublishError, LeaseLostError, CheckpointError
            Kinesis refused a record for good, or the last commit failed.
        """
        try:
            last_writes = max(_LAST_WRITES_SECONDS, 2 * self._checkpoint.slowest_write)
            return self._publisher.drain(self._deadline.cut(self._run_seconds, reserve=last_writes))
        except PublishError:
            self.may_hand_over = False  # what became of the records is not known
            raise
        finally:
            self._publisher.close()
            if unanswered := self._publisher.unanswered:
                logger.warning("the run ends before Kinesis has answered; these may come twice", updates=unanswered)
                count("UpdatesUnanswered", unanswered)
            try:
                self._committer.close()
            finally:
                if self.may_hand_over:
                    self._hand_over(position, duplicates)

    def _hand_over(self, position: Position | None, duplicates: DuplicateFilter) -> None:
        """Leave to the next run what Kinesis has of what was read."""
        known = (self._committer.committed or position, self._committer.attempted)
        tokens = {one.position_token if one else None for one in known[: 2 if known[1] else 1]}
        publisher, parser, committed = self._publisher, self._parser, self._committer.intervals
        self._handover.leave(
            tokens, lambda: duplicates.after_the_run(parser.updates(publisher.unacknowledged()), committed)
        )
