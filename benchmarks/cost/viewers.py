"""What viewers of the page cost who are always there: requests, bytes, the password's function, S3 behind it.

Of the page's ways (`web/js/live.js`, `worker.js`): it reads each new snapshot of each shard in a few requests, and
takes health and alerts as often as they are written. It asks for a snapshot when nine tenths of the time between two
are over, and once a second while that is too early: on average as much too early as it has gained on the snapshots.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.cost.prices import CLOUDFRONT_FUNCTION, CLOUDFRONT_REQUEST, GB, S3_GET, SECONDS, cloudfront_egress

SHARDS = 2
EARLY, AGAIN_SECONDS = 0.1, 1  # of the time between two snapshots; between two requests for one that is not there yet
BESIDE = 1 / 10 + 1 / 5 + 1 / 15  # requests a second: status, alerts, the list of shards
HEADER_BYTES = 500  # of an answer: its own and the policy's
REGIONAL_CACHES = 13  # CloudFront's: the edge locations ask S3 through them
RANGES = 2 * 26  # of the open snapshots of 12,000 aircraft: a header and the blocks of 256, and the identities
TTL_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """What a viewer takes in a second."""

    requests: float
    bytes: float


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: for each snapshot of all shards, and of identities for each second.

    Measured: docs/decisions/live-objects.md.
    """

    requests: int
    bytes: int
    identity_bytes_per_second: int

    def taken(self, batch_seconds: float) -> Taken:
        """Return what a viewer takes in a second if there is a snapshot every so many seconds."""
        unchanged = EARLY * batch_seconds / AGAIN_SECONDS
        requests = (self.requests + unchanged * SHARDS) / batch_seconds + BESIDE
        return Taken(requests, self.bytes / batch_seconds + self.identity_bytes_per_second + requests * HEADER_BYTES)


COUNTRY = View(4, 57_122, 1_488)
VIEWS = {
    "a city (London)": View(4, 8_493, 246),
    "a country (Germany)": COUNTRY,
    "Europe": View(4, 75_817, 2_252),
    "the world": View(2, 176_451, 5_178),
}


def monthly(count: int, view: View = COUNTRY, *, batch_seconds: float) -> float:
    """Return US dollars a month for so many viewers, each of whom gives the password with every request."""
    taken = view.taken(batch_seconds)
    requests = count * taken.requests * SECONDS
    # At most: each range once in its time to live at each regional cache. Nobody shares where there is one viewer.
    fetched = min(requests, REGIONAL_CACHES * RANGES / TTL_SECONDS * SECONDS)
    egress = cloudfront_egress(count * taken.bytes * SECONDS / GB)
    return egress + requests * (CLOUDFRONT_REQUEST + CLOUDFRONT_FUNCTION) + fetched * S3_GET
