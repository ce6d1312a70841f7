"""A proxy on loopback between boto3 and the local AWS: fails calls as planned, and authorises them.

A thread and a connection to the local AWS for each connection of a client, both kept open between calls.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from local.clock import SystemClock
from local.faults.aws import partial_failure, permissions
from local.faults.aws.calls import Call, Request, recognise
from local.faults.aws.errors import Answer, Refusal, answer
from local.faults.aws.plan import AppliedFault, FaultInjector, FaultKind, FaultPlan
from local.faults.aws.relay import Relay, Upstream

if TYPE_CHECKING:
    from types import TracebackType

    from local.clock import Clock
    from local.faults.aws.authorisation import Authoriser
    from local.faults.aws.plan import Injected

_REMEMBERED_CALLS = 10_000
_NO_PLAN = FaultPlan()
_MESSAGES = {
    FaultKind.THROTTLED: (Refusal.THROTTLED, "Rate exceeded"),
    FaultKind.SERVER_ERROR: (Refusal.SERVER_ERROR, "We encountered an internal error. Please try again."),
    FaultKind.DENIED: (Refusal.DENIED, "The caller is not authorized to perform this action."),
}
_READS = frozenset({"GetObject", "HeadObject"})
_AMZ_JSON = (("Content-Type", "application/x-amz-json-1.1"),)
_ODD_ANSWERS = tuple(
    Answer(HTTPStatus.OK, headers, body)
    for headers, body in (
        ((("Content-Type", "text/html"),), b"<html><body>Service is being updated</body></html>"),
        (_AMZ_JSON, b""),
        (_AMZ_JSON, b"{}"),
        (_AMZ_JSON, b'{"FailedRecordCount":0,"Records":[]}'),
        (_AMZ_JSON, b'{"FailedRecordCount":0,"Records":[{"SequenceNumber":"'),
    )
)
"""What a front end that is not well answers to PutRecords: status 200, and no record acknowledged."""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call that went through the proxy.

    `resource` is the ARN of the first resource, empty where it is not known. `outcome` is `answered`, `denied`, or
    the kind of the fault. `status` is the HTTP status that was answered, None without an answer.
    """

    caller: str
    service: str
    operation: str
    resource: str
    outcome: str
    status: int | None


class AwsProxy:
    """The proxy. It listens from `start()` to `stop()`, or within `with`.

    Parameters
    ----------
    upstream
        The address of the local AWS, plain HTTP.
    plan
        The faults to begin with; `inject` replaces them.
    authoriser
        Asked about every call; without one everything is let through.
    clock
        Waits for what is delayed.
    """

    def __init__(
        self,
        upstream: str,
        *,
        plan: FaultPlan = _NO_PLAN,
        authoriser: Authoriser | None = None,
        clock: Clock | None = None,
    ) -> None:
        address = urlsplit(upstream)
        if address.scheme != "http" or address.hostname is None or address.port is None:
            raise ValueError(f"upstream: got {upstream}; expected an address such as http://127.0.0.1:5000")
        self._upstream = (address.hostname, address.port)
        self.authoriser = authoriser
        self._injector = FaultInjector(plan)
        self._spared: frozenset[tuple[str, str]] = frozenset()
        self._clock: Clock = clock or SystemClock()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._injected: Injected = Counter()
        self._calls: deque[SeenCall] = deque(maxlen=_REMEMBERED_CALLS)
        self._server = Relay(self._connect, self._carry_out)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="aws-proxy")

    @property
    def url(self) -> str:
        """The address clients use in place of the local AWS's."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def injected(self) -> Injected:
        """How many faults of each kind were applied to which calls."""
        with self._lock:
            return self._injected.copy()

    @property
    def calls(self) -> tuple[SeenCall, ...]:
        """The newest calls, oldest first."""
        with self._lock:
            return tuple(self._calls)

    def inject(self, plan: FaultPlan) -> None:
        """Follow another plan from now on, counting calls again."""
        self._spared = frozenset()
        self._injector = FaultInjector(plan)

    def spare(self, caller: str, service: str) -> None:
        """Apply no more faults to what a function asks of a service, until there is another plan."""
        self._spared |= {(caller, service)}

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """End delays and close every connection; return when each thread has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.disconnect_all()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _connect(self) -> Upstream:
        return Upstream(*self._upstream)

    def _carry_out(self, request: Request, upstream: Upstream) -> Answer | FaultKind:
        """Carry a call out as far as it may be; return the answer, or the fault that leaves none."""
        call = recognise(request)
        resource, denial = self._authorise(call, request)
        if denial is not None:
            self._remember(call, resource, "denied", denial)
            return denial
        applied = None if (call.caller, call.service) in self._spared else self._injector.next(call)
        reply: Answer | FaultKind
        if applied is None:
            reply = upstream.ask(request)
        else:
            with self._lock:
                self._injected[call, applied.fault.kind] += 1
            reply = self._apply(applied, call, request, upstream)
        if call.service == "s3" and call.operation in _READS and isinstance(reply, Answer):
            reply = self._hide_absence(call, request, reply)
        self._remember(call, resource, "answered" if applied is None else applied.fault.kind.value, reply)
        return reply

    def _authorise(self, call: Call, request: Request) -> tuple[str, Answer | None]:
        """Return the resource's ARN, if it is known, and the refusal, if there is one."""
        try:
            needed = permissions.needed(call, request)
        except permissions.UnknownPermissionError as error:
            return "", None if self.authoriser is None else answer(call.service, Refusal.DENIED, str(error))
        if self.authoriser is None:
            return needed[0].resource, None
        if not self.authoriser.knows(call.caller):
            message = f"The security token included in the request is invalid: no role calls itself {call.caller!r}."
            return needed[0].resource, answer(call.service, Refusal.UNKNOWN_CALLER, message)
        reason = self.authoriser.refusal(call.caller, needed)
        return needed[0].resource, None if reason is None else answer(call.service, Refusal.DENIED, reason)

    def _hide_absence(self, call: Call, request: Request, reply: Answer) -> Answer:
        """Tell nobody that an object is not there who may not list its bucket."""
        if self.authoriser is None or reply.status != HTTPStatus.NOT_FOUND:
            return reply
        reason = self.authoriser.refusal(call.caller, [permissions.existence_of_key(request)])
        return reply if reason is None else answer(call.service, Refusal.DENIED, reason)

    def _apply(  # noqa: PLR0911 -- a return for each kind
        self, applied: AppliedFault, call: Call, request: Request, upstream: Upstream
    ) -> Answer | FaultKind:
        fault = applied.fault
        match fault.kind:
            case FaultKind.THROTTLED | FaultKind.SERVER_ERROR | FaultKind.DENIED:
                return answer(call.service, *_MESSAGES[fault.kind])
            case FaultKind.RESET:
                return fault.kind
            case FaultKind.ANSWER_LOST:
                upstream.ask(request)
                return fault.kind
            case FaultKind.DELAYED:
                self._clock.wait(self._stopping, fault.seconds)
                return upstream.ask(request)
            case FaultKind.ANSWER_DELAYED:
                reply = upstream.ask(request)
                self._clock.wait(self._stopping, fault.seconds)
                return reply
            case FaultKind.PARTIAL:
                refused = applied.refused_entries(partial_failure.entries(request.body))
                return _in_part(refused, call, request, upstream)
            case FaultKind.HOT_KEYS:
                refused = partial_failure.of_hot_keys(request.body, fault.share)
                return _in_part(refused, call, request, upstream)
            case FaultKind.ODD_ANSWER:
                return applied.chance.choice(_ODD_ANSWERS)

    def _remember(self, call: Call, resource: str, outcome: str, reply: Answer | FaultKind) -> None:
        status = reply.status if isinstance(reply, Answer) else None
        with self._lock:
            self._calls.append(SeenCall(call.caller, call.service, call.operation, resource, outcome, status))


def _in_part(refused: frozenset[int], call: Call, request: Request, upstream: Upstream) -> Answer:
    """Carry out what is left of a batch without the refused entries, and answer for the whole of it."""
    rest = partial_failure.without(request.body, refused)
    if partial_failure.entries(rest):
        reply = upstream.ask(replace(request, body=rest))
    else:
        reply = Answer(HTTPStatus.OK, (("Content-Type", request.headers.get("content-type", "")),), b"")
    if reply.status != HTTPStatus.OK:
        return reply
    return replace(reply, body=partial_failure.with_refusals(call.operation, reply.body, refused))
