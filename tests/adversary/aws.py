"""A stub of what the functions call of AWS, on one loopback port; it answers well until a rule says how not."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.adversary.bucket import Bucket, stack_resources
from tests.adversary.odd_answers import Odd, distort
from tests.adversary.store import Store, operation
from tests.adversary.tables import ConditionFailedError, Table
from tests.adversary.wire import Delay, GoneError, Reply, Rulebook, Server, misbehave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.adversary.ledger import Ledger
    from tests.adversary.wire import Connection, Request

_SPACE = 1 << 128
_STACK = {
    "UpdatesStream": "updates",
    "FailuresBucket": "failures",
    "DataBucket": "data",
    "StateBucket": "state",
    "AggregatorFunction": "aggregator",
    "AlertsFunction": "alerts",
    "ConsumerFunction": "consumer",
}


@dataclass(frozen=True, slots=True)
class Throttle:
    """Refuse single records: those of these keys or shards, or a share of all, drawn by the call's number."""

    keys: frozenset[str] = frozenset()
    shards: frozenset[int] = frozenset()
    share: float = 0.0
    code: str = "ProvisionedThroughputExceededException"


@dataclass(frozen=True, slots=True)
class Reshard:
    """Let the stream have so many shards, all of them new, before the call is carried out."""

    shards: int


@dataclass(frozen=True, slots=True)
class Late:
    """Carry the call out so many seconds later, even if nobody waits for its answer any more."""

    seconds: float


@dataclass(slots=True)
class Aws:
    """The server, and all that it holds."""

    ledger: Ledger
    secret: str
    shards: int = 1
    rules: Rulebook = field(default_factory=Rulebook)
    failures: Bucket = field(default_factory=Bucket)
    tables: dict[str, Table] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, str]] = field(default_factory=list)
    open_calls: dict[str, int] = field(default_factory=dict)
    """How many calls of each operation are not answered yet."""
    unacknowledged: set[str] = field(default_factory=set)
    """Operations of which a call was carried out and then answered late, falsely or not at all."""
    store: Store = field(init=False)
    _server: Server = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _generation: int = 0
    _sequence: int = 49650000000000000000000000000000000000000000000000000000

    def __post_init__(self) -> None:
        self.store = Store(self.ledger)
        self._server = Server(self._serve)

    @property
    def url(self) -> str:
        """The address for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def faults(self) -> list[str]:
        """What this stub itself did wrong, which voids an attack."""
        return self._server.faults

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.request()) is not None:
            called, carry_out = self._routed(request)
            with self._answering(called):
                self._answer(connection, request, called, carry_out)

    @contextmanager
    def _answering(self, operation: str) -> Iterator[None]:
        """Count the call as open until its answer is sent."""
        with self._lock:
            self.open_calls[operation] = self.open_calls.get(operation, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self.open_calls[operation] -= 1

    def _answer(
        self, connection: Connection, request: Request, called: str, carry_out: Callable[[object], Reply]
    ) -> None:
        manners = self.rules.manners(called)
        if isinstance(manners, Reshard):
            self._reshard(manners.shards)
            manners = None
        if isinstance(manners, Late):
            time.sleep(manners.seconds)
            manners = None
        executed = getattr(manners, "executed", False)
        if executed or isinstance(manners, Delay):
            self.unacknowledged.add(called)
        healthy = carry_out(manners) if executed or manners is None or isinstance(manners, Throttle) else None
        if isinstance(manners, Odd):
            healthy = distort(manners, healthy or carry_out_nothing(request))
        elif manners is not None and not isinstance(manners, Throttle):
            misbehave(connection, manners)
            healthy = healthy or carry_out(None)
        assert healthy is not None
        connection.send(healthy.head(), b"" if request.method == "HEAD" else healthy.body)
        if healthy.length is not None:
            raise GoneError

    def _routed(self, request: Request) -> tuple[str, Callable[[object], Reply]]:
        """Return the operation's name for the rules, and what carries it out."""
        target = request.headers.get("x-amz-target", "")
        if target:
            service, _, name = target.partition(".")
            content = json.loads(request.body or b"{}")
            methods: dict[str, Callable[[dict[str, Any], object], Reply]] = {
                "PutRecords": self._put_records,
                "ListShards": self._list_shards,
                "GetSecretValue": self._secret_value,
                "PutItem": self._put_item,
                "GetItem": self._get_item,
                "UpdateItem": self._update_item,
                "PutRecordBatch": self._put_record_batch,
            }
            return f"{service.split('_')[0].lower()}.{name}", lambda manners: methods[name](content, manners)
        if b"Action=Publish" in request.body:
            return "sns.Publish", lambda _: self._publish(dict(parse_qsl(request.body.decode())))
        if b"Action=ListStackResources" in request.body:
            return "cloudformation.ListStackResources", lambda _: stack_resources(_STACK)
        bucket, _, key = unquote(urlsplit(request.target).path).lstrip("/").partition("/")
        if bucket == "failures":
            return self.failures.routed(request, key)
        return operation(request.method, key), lambda _: self.store.carry_out(request, key)

    # ------------------------------------------------------------------------------------------------- Kinesis

    def shard_of(self, record: dict[str, Any]) -> int:
        """Return the index of the shard that takes a record of this key."""
        explicit = record.get("ExplicitHashKey")
        value = int(explicit) if explicit else int(hashlib.md5(record["PartitionKey"].encode()).hexdigest(), 16)
        return min(value * self.shards // _SPACE, self.shards - 1)

    def shard_name(self, index: int) -> str:
        """Return the shard's id; a shard that came of a split or merge has a new one."""
        return f"shardId-{self._generation * 100 + index:012}"

    def _reshard(self, shards: int) -> None:
        with self._lock:
            if shards != self.shards:
                self.shards, self._generation = shards, self._generation + 1

    def _put_records(self, content: dict[str, Any], manners: object) -> Reply:
        records = content["Records"]
        sizes = [len(base64.b64decode(record["Data"])) + len(record["PartitionKey"].encode()) for record in records]
        if not 1 <= len(records) <= 500 or max(sizes) > 1 << 20 or sum(sizes) > 5 << 20:
            return _failure(400, "ValidationException", f"{len(records)} records of {sum(sizes)} bytes")
        throttle = manners if isinstance(manners, Throttle) else Throttle()
        dice = random.Random(f"throttle/{self.rules.calls.get('kinesis.PutRecords')}")
        answers: list[dict[str, str]] = []
        with self._lock:
            for record in records:
                shard = self.shard_of(record)
                if (
                    record["PartitionKey"] in throttle.keys
                    or shard in throttle.shards
                    or dice.random() < throttle.share
                ):
                    answers.append({"ErrorCode": throttle.code, "ErrorMessage": "Rate exceeded for shard"})
                    continue
                self._sequence += 1
                name = self.shard_name(shard)
                addressed = bool(record.get("ExplicitHashKey"))
                self.ledger.took(base64.b64decode(record["Data"]), record["PartitionKey"], name, addressed=addressed)
                answers.append({"SequenceNumber": str(self._sequence), "ShardId": name})
        failed = sum("ErrorCode" in answer for answer in answers)
        return _json({"FailedRecordCount": failed, "Records": answers, "EncryptionType": "KMS"})

    def _list_shards(self, _content: dict[str, Any], _manners: object) -> Reply:
        edges = [index * _SPACE // self.shards for index in range(self.shards + 1)]
        return _json(
            {
                "Shards": [
                    {
                        "ShardId": self.shard_name(index),
                        "HashKeyRange": {"StartingHashKey": str(low), "EndingHashKey": str(high - 1)},
                        "SequenceNumberRange": {"StartingSequenceNumber": "49650000000000000000000000000000000000"},
                    }
                    for index, (low, high) in enumerate(pairwise(edges))
                ]
            }
        )

    # ------------------------------------------------------------------------------------------ secrets, objects

    def _secret_value(self, _content: dict[str, Any], _manners: object) -> Reply:
        return _json(
            {
                "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:attack-AbCdEf",
                "Name": "attack",
                "VersionId": "00000000-0000-4000-8000-000000000000",
                "SecretString": self.secret,
                "VersionStages": ["AWSCURRENT"],
                "CreatedDate": 1709594582.25,
            }
        )

    # ------------------------------------------------------------------------------ tables, delivery, notification

    def _table(self, content: dict[str, Any]) -> Table:
        key = {"suppression": "rule_and_aircraft"}.get(content["TableName"], "icao_address")
        return self.tables.setdefault(content["TableName"], Table(key))

    def _conditional(self, content: dict[str, Any], act: Callable[[Table], dict[str, Any]]) -> Reply:
        try:
            with self._lock:
                answer = act(self._table(content))
                if content.get("ReturnConsumedCapacity") == "TOTAL":
                    answer = answer | {"ConsumedCapacity": {"TableName": content["TableName"], "CapacityUnits": 1.0}}
                return _json(answer)
        except ConditionFailedError as refused:
            known = {"Item": refused.item} if refused.item is not None else {}
            failure = {
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": "refused",
            }
            return _json(failure | known, 400)

    def _put_item(self, content: dict[str, Any], _manners: object) -> Reply:
        return self._conditional(content, lambda table: table.put(content))

    def _update_item(self, content: dict[str, Any], _manners: object) -> Reply:
        return self._conditional(content, lambda table: table.update(content))

    def _get_item(self, content: dict[str, Any], _manners: object) -> Reply:
        return self._conditional(content, lambda table: table.get(content))

    def _put_record_batch(self, content: dict[str, Any], manners: object) -> Reply:
        throttle = manners if isinstance(manners, Throttle) else Throttle()
        dice = random.Random(f"firehose/{self.rules.calls.get('firehose.PutRecordBatch')}")
        answers: list[dict[str, str]] = []
        with self._lock:
            for number, record in enumerate(content["Records"]):
                if dice.random() < throttle.share:
                    answers.append({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."})
                    continue
                self.rows += [json.loads(line) for line in base64.b64decode(record["Data"]).splitlines()]
                answers.append({"RecordId": f"{time.time_ns()}{number}"})
        failed = sum("ErrorCode" in answer for answer in answers)
        return _json({"FailedPutCount": failed, "Encrypted": False, "RequestResponses": answers})

    def _publish(self, form: dict[str, str]) -> Reply:
        with self._lock:
            self.messages.append(form)
            number = len(self.messages)
        xml = (
            '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
            f"<MessageId>00000000-0000-4000-8000-{number:012}</MessageId></PublishResult><ResponseMetadata>"
            f"<RequestId>00000000-0000-4000-9000-{number:012}</RequestId></ResponseMetadata></PublishResponse>"
        )
        return Reply(200, xml.encode(), (("Content-Type", "text/xml"),), "OK")


def carry_out_nothing(request: Request) -> Reply:
    """Return an answer of the right form to a request that was not carried out, for `distort` to work on."""
    if b'"Records"' in request.body:
        records = json.loads(request.body)["Records"]
        made = [
            {"SequenceNumber": f"4965{index:052}", "ShardId": "shardId-000000000000"} for index in range(len(records))
        ]
        return _json({"FailedRecordCount": 0, "Records": made})
    return _json({})


def _json(content: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(content).encode(), (("Content-Type", "application/x-amz-json-1.1"),), "OK")


def _failure(status: int, code: str, message: str) -> Reply:
    return _json({"__type": code, "message": message}, status)
