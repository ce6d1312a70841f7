"""Status 200 with an answer that is not one, from each service that the consumer asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.odd_answers import PLAIN, RECORDS, Odd
from tests.adversary.plan import SETTLE, Run, Traffic
from tests.adversary.wire import Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan


@kind("only a sequence number for each record is an acknowledgement", weight=4)
def odd_acknowledgements(rng: Random, now: float) -> ConsumerPlan:
    """PutRecords answers 200 with a page, nothing, less, more or nonsense; half of the time it took the records."""
    traffic = Traffic(rng, now)
    traffic.intervals(rng.randrange(2, 10), rng.randrange(3, 20))
    executed = rng.random() < 0.3
    odd = Odd(rng.choice(PLAIN + RECORDS), executed)
    rules = (Rule("kinesis.PutRecords", odd, count=rng.choice([1, 3, 1 << 30])),)
    return traffic.plan(Run(3.5, rules), SETTLE, **record_format(rng))


@kind(
    "a checkpoint that cannot be read is not a missing checkpoint, and one that may not be written is not committed",
    weight=2,
)
def odd_checkpoint_answers(rng: Random, now: float) -> ConsumerPlan:
    """S3 answers reads or writes of the checkpoint, or writes of rejected lines, with 200 and nonsense."""
    traffic = Traffic(rng, now)
    traffic.intervals(rng.randrange(2, 6), rng.randrange(3, 20))
    traffic.line(b"this is no update")
    traffic.gate(1)
    traffic.intervals(rng.randrange(2, 6), rng.randrange(3, 20))
    operation = rng.choice(["s3.get.checkpoint.json", "s3.put.checkpoint.json", "s3.put.rejected"])
    odd = Odd(rng.choice(PLAIN), executed="put" in operation and rng.random() < 0.5)
    rules = (Rule(operation, odd, count=rng.choice([1, 2, 1 << 30])),)
    return traffic.plan(Run(3.0), Run(3.5, rules), SETTLE, **record_format(rng))


@kind("a secret or a list of shards that cannot be read fails the run in our words", weight=1)
def odd_secrets_and_shards(rng: Random, now: float) -> ConsumerPlan:
    """Secrets Manager or ListShards answers 200 with nonsense."""
    traffic = Traffic(rng, now)
    traffic.intervals(2, 5)
    operation, form = rng.choice(
        [
            ("secretsmanager.GetSecretValue", record_format(rng)),
            ("kinesis.ListShards", {"record_format": "envelope", "shards": 2}),
        ]
    )
    odd = [
        *(Odd(way) for way in PLAIN),
        Instead(Reply(200, b'{"SecretString":""}')),
        Instead(Reply(200, b'{"SecretString":"two\\r\\nlines: of\\r\\n a header"}')),
        Instead(Reply(200, b'{"SecretString":"\\u0000\\ud800"}')),
        Instead(Reply(200, b'{"Shards":[]}')),
        Instead(
            Reply(
                200,
                b'{"Shards":[{"ShardId":"x","HashKeyRange":{"StartingHashKey":"-1","EndingHashKey":"zz"}}],"NextToken":""}',
            )
        ),
        Instead(Reply(200, b'{"Shards":[{"ShardId":"x","HashKeyRange":null}]}')),
    ]
    rules = (Rule(operation, rng.choice(odd), count=rng.choice([1, 1 << 30])),)
    return traffic.plan(Run(3.0, rules), SETTLE, **form)


@kind("a refusal of any kind and text is an error of ours, and harms nothing")
def failures_of_every_status(rng: Random, now: float) -> ConsumerPlan:
    """Each service answers with statuses nobody expects."""
    traffic = Traffic(rng, now)
    traffic.intervals(3, 10)
    traffic.gate(1)
    traffic.intervals(3, 10)
    status = rng.choice(
        [201, 204, 206, 301, 304, 307, 400, 403, 404, 408, 409, 412, 413, 418, 429, 451, 499, 500, 502, 503, 599]
    )
    body = rng.choice(
        [
            b"",
            b"{}",
            b"<html></html>",
            b'{"__type":null}',
            b"[]",
            b'{"__type":"\\u001b[31mX","message":{"a":1}}',
            b"<Error><Code>",
        ]
    )
    operation = rng.choice(["kinesis.*", "s3.get*", "s3.put*", "secretsmanager.*"])
    reply = Reply(status, b"" if status in (204, 304) else body)
    rules = (Rule(operation, Instead(reply), chance=rng.choice([0.5, 1.0])),)
    return traffic.plan(Run(3.0), Run(3.5, rules), SETTLE, **record_format(rng))
