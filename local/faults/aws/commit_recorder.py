"""The proxy before AWS that notes which checkpoints were written, and when, and which shards' snapshots were not.

What comes again after a checkpoint that stands behind it is a double that nothing excuses. A snapshot that S3 refuses
comes with the shard's next invocation: where there was none, nobody can have seen it.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from local.clock import SystemClock
from local.faults.aws.calls import recognise
from local.faults.aws.errors import Answer
from local.faults.aws.plan import FaultKind
from local.faults.aws.proxy import AwsProxy
from local.faults.aws.relay import Upstream

if TYPE_CHECKING:
    from local.faults.aws.calls import Request

_CHECKPOINT = "/checkpoint.json"
_SNAPSHOT = re.compile(r"/live/(shardId-\d+)/")
_LATELY = 0.1
"""Seconds between a function's last look at its calls and the end of its invocation, at the most."""


class _Lease(msgspec.Struct):
    owner: str


class Checkpoint(msgspec.Struct):
    """What the consumer writes into its object, as far as the rig reads it."""

    position_token: str | None = None
    gap: dict[str, Any] | None = None
    lease: _Lease | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A checkpoint that was written: when (seconds since the epoch), up to which token, and who holds the lease."""

    moment: float
    token: str
    owner: str | None


class CommitRecorder(AwsProxy):
    """Notes when which checkpoint was written, whether or not the answer arrives."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.commits: list[Commit] = []
        self._under_way: Counter[str] = Counter()
        self._answered: dict[str, float] = {}
        self._slowest: dict[str, float] = {}
        self._refused: dict[str, bool] = {}

    def forget(self) -> None:
        """Forget what was noted, for the next schedule."""
        with self._lock:
            self.commits.clear()
            self._slowest.clear()
            self._refused.clear()

    def slowest(self, caller: str) -> float:
        """Return how many seconds the slowest call of `caller` took: what is not waited for so long is sent again."""
        with self._lock:
            return self._slowest.get(caller, 0.0)

    def owed(self) -> frozenset[str]:
        """Return the shards whose last snapshot was refused."""
        with self._lock:
            return frozenset(shard for shard, refused in self._refused.items() if refused)

    def unanswered(self, caller: str) -> bool:
        """Return whether a PutRecords of `caller` is under way, or was answered so lately that it may not know."""
        with self._lock:
            lately = time.monotonic() - self._answered.get(caller, -math.inf) < _LATELY
            return lately or self._under_way[caller] > 0

    def _carry_out(self, request: Request, upstream: Upstream) -> Answer | FaultKind:
        call, began = recognise(request), time.monotonic()
        is_put = (call.service, call.operation) == ("kinesis", "PutRecords")
        with self._lock:
            self._under_way[call.caller] += is_put
        try:
            reply = super()._carry_out(request, upstream)
            if call.operation == "PutObject" and (snapshot := _SNAPSHOT.search(request.path)):
                with self._lock:
                    self._refused[snapshot[1]] = _is_refusal(reply)
            return reply
        finally:
            ended = time.monotonic()
            with self._lock:
                self._slowest[call.caller] = max(ended - began, self._slowest.get(call.caller, 0.0))
                self._under_way[call.caller] -= is_put
                if is_put:
                    self._answered[call.caller] = ended

    def _connect(self) -> Upstream:
        return _WatchedUpstream(*self._upstream, self.commits)


class _WatchedUpstream(Upstream):
    """Notes a checkpoint when the local AWS itself says that it has it: what a fault left out was never written."""

    def __init__(self, host: str, port: int, commits: list[Commit]) -> None:
        super().__init__(host, port)
        self._commits = commits

    def ask(self, request: Request) -> Answer:
        reply = super().ask(request)
        is_checkpoint = request.method == "PUT" and request.path.endswith(_CHECKPOINT)
        if is_checkpoint and reply.status == HTTPStatus.OK and (commit := _commit(request.body)) is not None:
            self._commits.append(commit)
        return reply


def _is_refusal(reply: Answer | FaultKind) -> bool:
    return reply is FaultKind.RESET or (isinstance(reply, Answer) and reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR)


def _commit(body: bytes) -> Commit | None:
    """Return what a written checkpoint commits; one with a gap before its token does not say how far it came."""
    checkpoint = msgspec.json.decode(body, type=Checkpoint)
    if checkpoint.position_token is None or checkpoint.gap is not None:
        return None
    return Commit(SystemClock().now(), checkpoint.position_token, checkpoint.lease.owner if checkpoint.lease else None)
