"""Something is slow, silent or drips, in each phase of a run: every wait ends within what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.plan import SETTLE, Run, Traffic
from tests.adversary.wire import Delay, DripBody, DripHead, Hang, Interim, Reply, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

_ERROR_BODY = b'{"message":"' + b"x" * 400 + b'"}'


@kind("a run ends by its deadline whatever the provider's stream does", weight=3)
def slow_feed(rng: Random, now: float) -> ConsumerPlan:
    """Heads, error bodies and bodies drip or hang, interim answers go on for ever; sometimes SIGTERM comes as well."""
    traffic = Traffic(rng, now)
    traffic.intervals(rng.randrange(1, 4), 10)
    traffic.gate(1)
    traffic.intervals(2, 10)
    page = (("Content-Type", "application/json"),)
    manners = rng.choice(
        [
            Hang(),
            DripHead(rng.choice([0.02, 0.5])),
            Interim(rng.choice([100, 102, 103]), rng.choice([0.001, 0.3])),
            *(
                DripBody(Reply(status, _ERROR_BODY, page, length=100_000), rng.choice([0.01, 0.5]))
                for status in (503, 400, 401, 404, 429)
            ),
            DripBody(
                Reply(200, b'{"status":{"message":"a long time ago"}}\n', page, length=-1), rng.choice([0.01, 0.3])
            ),
            Delay(2.0),
        ]
    )
    rules = (Rule("feed.*", manners, first=rng.choice([0, 0, 1])),)
    end = rng.choice(["deadline", "deadline", "terminate"])
    slow = Run(rng.choice([3.0, 5.0]), rules, end, after=1.0)
    return traffic.plan(Run(2.5), slow, SETTLE, **record_format(rng))


@kind("a run ends by its deadline whatever AWS does", weight=3)
def slow_aws(rng: Random, now: float) -> ConsumerPlan:
    """Kinesis, S3 or Secrets Manager take their time, hang, or drip."""
    traffic = Traffic(rng, now)
    traffic.intervals(rng.randrange(1, 4), 10)
    traffic.line(b"no update")
    traffic.gate(1)
    traffic.intervals(3, 10)
    traffic.line(b"no update either")
    traffic.token()
    operation = rng.choice(
        [
            "kinesis.PutRecords",
            "s3.get*",
            "s3.put.checkpoint*",
            "s3.put.checkpoint*",
            "s3.put.rejected",
            "secretsmanager.*",
            "kinesis.ListShards",
        ]
    )
    executed = rng.random() < 0.5
    manners = rng.choice(
        [
            Delay(1.0, executed),
            Delay(2.0, executed),
            Hang(),
            DripHead(0.3),
            DripBody(Reply(200, b"{}" * 200, length=5_000), 0.1),
            DripBody(Reply(503, b"{}" * 200, length=5_000), 0.1),
            Interim(100, 0.05),
        ]
    )
    rules = (Rule(operation, manners, first=rng.choice([0, 0, 1, 2])),)
    return traffic.plan(Run(2.5), Run(rng.choice([3.0, 5.0]), rules), SETTLE, **record_format(rng))


@kind("a run ends by its deadline when nothing can be connected to", weight=1)
def no_connection(rng: Random, now: float) -> ConsumerPlan:
    """Connecting to the feed, or to AWS, never ends."""
    traffic = Traffic(rng, now)
    traffic.intervals(1, 5)
    where = rng.choice(["feed", "aws"])
    return traffic.plan(Run(rng.choice([2.5, 4.0])), Run(3.0), heals=False, black_hole=where, **record_format(rng))


@kind("a stream that falls silent in the middle of a line ends the run in time, and loses nothing", weight=1)
def silent_stream(rng: Random, now: float) -> ConsumerPlan:
    """The stream stops between tokens, and no token comes before the deadline."""
    traffic = Traffic(rng, now)
    for _ in range(rng.randrange(1, 4)):
        traffic.intervals(rng.randrange(1, 4), rng.randrange(1, 10))
    for _ in range(5):
        traffic.update()
    runs = [Run(rng.choice([2.5, 3.5]), frozen=rng.choice([0, 0.5])) for _ in range(rng.choice([1, 2, 3]))]
    return traffic.plan(*runs, heals=False, idle=None, **record_format(rng))
