"""Draws which calls of AWS fail in a fault schedule, and how."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from local.faults.aws.plan import Fault, FaultKind, FaultRule
from local.function_names import AGGREGATOR, ALERTS, CONSUMER

if TYPE_CHECKING:
    from collections.abc import Sequence


_HOT_SHARE, _SLOW_SHARE, _ODD_SHARE = 0.25, 0.2, 0.25
"""Shares of the schedules in which some keys are hot for long, S3 is slow, and answers of status 200 say nothing."""


REFUSALS = (FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.RESET, FaultKind.ANSWER_LOST)
DELAYS = (FaultKind.DELAYED, FaultKind.ANSWER_DELAYED)
_AWS: tuple[tuple[str, str, str, Sequence[FaultKind], int], ...] = (
    (CONSUMER, "kinesis", "PutRecords", (*REFUSALS, *DELAYS, FaultKind.PARTIAL, FaultKind.PARTIAL), 25),
    (CONSUMER, "s3", "PutObject", (*REFUSALS, *DELAYS), 20),
    (CONSUMER, "s3", "GetObject", REFUSALS, 3),
    (CONSUMER, "secretsmanager", "GetSecretValue", REFUSALS, 2),
    (AGGREGATOR, "firehose", "PutRecordBatch", (*REFUSALS, *DELAYS, FaultKind.PARTIAL), 8),
    (AGGREGATOR, "dynamodb", "PutItem", (*REFUSALS, *DELAYS), 150),
    (AGGREGATOR, "dynamodb", "GetItem", REFUSALS, 6),
    (ALERTS, "dynamodb", "PutItem", (*REFUSALS, *DELAYS), 12),
    (ALERTS, "dynamodb", "UpdateItem", (*REFUSALS, *DELAYS), 6),
    (ALERTS, "sns", "Publish", (*REFUSALS, *DELAYS), 6),
)
"""Whose calls of which operation fail how, and among how many first ones: about what a schedule makes."""

_LIVE_AWS = (("PutObject", 60), ("HeadObject", 2), ("GetObject", 2))
"""Those of the aggregator with the live objects, which are all that it asks of S3."""
_LIVE_RUN = 3
"""Calls in a row that fail in some schedules: one more than a write is tried, so that one is given up."""
_LIVE_APART = 10
"""At least so many calls from one fault to the next: what is owed after one is written before the next."""


def rules(rng: random.Random) -> list[FaultRule]:
    """Draw up to five times single calls of one operation that fail in the same way."""
    return [_rule(rng) for _ in range(rng.randint(0, 5))]


def _rule(rng: random.Random) -> FaultRule:
    caller, service, operation, kinds, first = rng.choice(_AWS)
    kind = rng.choice(list(kinds))
    seconds = rng.uniform(0.05, 0.8) if kind in DELAYS else 0.0
    calls = frozenset(rng.sample(range(1, first + 1), rng.randint(1, min(4, first))))
    fault = Fault(kind=kind, seconds=seconds, share=rng.uniform(0.05, 0.9))
    return FaultRule(service=service, operation=operation, caller=caller, fault=fault, calls=calls)


def hardships(seed: int) -> list[FaultRule]:
    """Draw what lasts: hot keys, past a run's deadline in some schedules; slow writes to S3; answers that say nothing.

    A separate draw, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"hardships {seed}")
    rules = []

    def put_records(calls: frozenset[int], fault: Fault) -> FaultRule:
        return FaultRule(service="kinesis", operation="PutRecords", caller=CONSUMER, calls=calls, fault=fault)

    if rng.random() < _HOT_SHARE:
        first, share = rng.randint(1, 10), rng.uniform(0.01, 0.3)
        calls = frozenset(range(first, first + rng.choice((20, 60, 150))))
        rules.append(put_records(calls, Fault(kind=FaultKind.HOT_KEYS, share=share)))
    if rng.random() < _SLOW_SHARE:
        slow = Fault(kind=rng.choice(DELAYS), seconds=rng.uniform(1.0, 3.0))
        calls = frozenset(rng.sample(range(1, 21), 4))
        rules.append(FaultRule(service="s3", operation="PutObject", caller=CONSUMER, calls=calls, fault=slow))
    if rng.random() < _ODD_SHARE:
        calls = frozenset(rng.sample(range(1, 26), 5))
        rules.append(put_records(calls, Fault(kind=FaultKind.ODD_ANSWER)))
    return rules


def live(seed: int) -> list[FaultRule]:
    """Draw what goes wrong with the live objects, in half of the schedules: single calls, or a write that is given up.

    A separate draw, so that it changes nothing else of a seed.
    """
    rng = random.Random(f"live {seed}")
    if rng.random() < 0.5:  # noqa: PLR2004 - the share of schedules without
        return []
    operation, among = rng.choice((_LIVE_AWS[0], *_LIVE_AWS))
    fault = Fault(kind=rng.choice((*REFUSALS, *DELAYS)), seconds=rng.uniform(0.05, 0.8))
    places = range(1, among + 1, _LIVE_APART)
    chosen = rng.sample(places, min(len(places), rng.choice((1, 4, 8))))
    length = rng.choice((1, _LIVE_RUN))
    calls = frozenset(first + more for first in chosen for more in range(length))
    return [FaultRule(service="s3", operation=operation, caller=AGGREGATOR, fault=fault, calls=calls)]
