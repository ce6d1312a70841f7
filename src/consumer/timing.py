"""The consumer's waits and time-outs, and how tests shorten them to play hours in seconds.

The template sets none of these variables, so a deployment has the figures below. The local stack's fault harness sets
them, since a lease that expires after 45 s cannot be tried two hundred times in ten minutes (`docs/decisions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.environment import ConfigurationError, number

if TYPE_CHECKING:
    from collections.abc import Mapping

LEASE_SECONDS = 45.0
"""After a hard kill the next tick of the schedule (60 s) but one at the latest finds the checkpoint free."""

RENEWAL_SECONDS = 15.0
"""The lease is renewed this often while nothing else is written: one that fails after the client's own tries
ends the run, while the lease has twice as long to go."""

SILENCE_SECONDS = 45.0
"""Without a byte for so long a connection is given up: the API sends something every 15 s."""

LONGEST_RETRY_SECONDS = 3600.0
"""What a server may ask to wait by Retry-After: one that errs must not keep the stream away for a day."""

STALE_SECONDS = 120.0
"""A connection that sends only keep-alives and the token it sent before is given up after so long: eight times
the interval at which a new token is due."""

QUIET_SECONDS = 20.0
"""A run that reads periodically takes itself for caught up after so long without an update, at a token: more than one
interval of tokens and keep-alives (15 s), in which the server had a turn to send some."""

_SHORTEST = 0.1
_RENEWALS_IN_A_LEASE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The waits, in seconds; without arguments those of a deployment."""

    lease: float = LEASE_SECONDS
    renewal: float = RENEWAL_SECONDS
    silence: float = SILENCE_SECONDS
    stale: float = STALE_SECONDS
    quiet: float = QUIET_SECONDS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Timing:
        """Read `LEASE_SECONDS`, `SILENCE_SECONDS` and `STALE_SECONDS`; what is not set is as in a deployment.

        A wait can only be shortened: a longer one would outlast what the rest was designed for. The lease is renewed
        three times in its span, whatever that is.

        Raises
        ------
        ConfigurationError
            One is no number, or out of range; the text names it.
        """
        lease = number(environ, "LEASE_SECONDS", LEASE_SECONDS, low=_SHORTEST, high=LEASE_SECONDS)
        silence = number(environ, "SILENCE_SECONDS", SILENCE_SECONDS, low=_SHORTEST, high=SILENCE_SECONDS)
        stale = number(environ, "STALE_SECONDS", STALE_SECONDS, low=_SHORTEST, high=STALE_SECONDS)
        if stale < silence:
            raise ConfigurationError(
                f"STALE_SECONDS: got {stale:g}; expected at least SILENCE_SECONDS ({silence:g}): a connection without "
                "progress says more than a silent one, and is given more time"
            )
        return cls(lease=lease, renewal=lease / _RENEWALS_IN_A_LEASE, silence=silence, stale=stale)
