"""The errors that end a run: one small tree, to be caught at any level.

Nothing is lost by any of them: what was not acknowledged is not committed, and the next run reads it again.
"""

from __future__ import annotations


class ConsumerError(Exception):
    """The run cannot go on, and trying again at once would not help."""


class ApiTokenError(ConsumerError):
    """The secret that holds the API token is missing, empty or may not be read."""


class UnauthorizedError(ConsumerError):
    """The Tracking Stream does not accept the API token (401)."""


class RequestRefusedError(ConsumerError):
    """The Tracking Stream refuses the request itself (a 4xx that no retry mends, or a redirect)."""


class CheckpointError(ConsumerError):
    """The checkpoint could not be read or written; this is never taken for "no checkpoint"."""


class LeaseHeldError(ConsumerError):
    """Another consumer is at work: its lease has not run out."""


class LeaseLostError(ConsumerError):
    """Another consumer took the checkpoint over: this one must stop and commit nothing more."""


class DeadlineError(ConsumerError):
    """Something was not done by the run's deadline; the text says what."""


class PublishError(ConsumerError):
    """Kinesis refuses the records for good (no such stream, no permission)."""


class UpdateProcessorError(ConsumerError):
    """The update processor failed: the updates it was given were not published, and will be read again."""
