"""What may have doubled an update or an alert in a schedule: only what happened, and what can do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.faults.aws.plan import lost_answers
from local.faults.timed.processes import ProcessKind
from local.faults.waits import LEASE_SECONDS
from local.function_names import ALERTS, CONSUMER

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from local.faults.aws.plan import Injected
    from local.faults.timed.processes import ProcessFault
    from local.runtime.invocation import InvocationResult

_TIMED_OUT = "Sandbox.Timedout"
_MET_ANOTHER = frozenset({"lease_held", "lease_lost"})
"""How a run stops that found another consumer at work (`docs/design.md`)."""


def doubled_by(happened: Sequence[ProcessFault], aws: Injected, results: Sequence[InvocationResult]) -> set[str]:
    """Return what may have doubled updates, from the process faults that happened and the results of the consumer.

    Of answers, only one of Kinesis' that is lost can: a checkpoint that was written all the same is recognised.
    Two consumers at once are two execution environments. One does not know what the other has read, but where every run
    ended at a token, committed, the next begins behind all of it, in whichever: what a gap holds of it is in the
    checkpoint's frontier, which has room for all updates of a schedule.
    """
    found = _cut_off(happened, CONSUMER) | lost_answers(aws, CONSUMER, "kinesis")
    if any(isinstance(one.payload, dict) and one.payload.get("errorType") == _TIMED_OUT for one in results):
        found.add(_TIMED_OUT)
    were_two = any(one.function == CONSUMER and one.kind is ProcessKind.TWO_AT_ONCE for one in happened)
    were_two |= any(_summary(one).get("stopped") in _MET_ANOTHER for one in results)
    if were_two and any(map(may_leave_something, results)):
        found.add("two at once")
    return found


def may_leave_something(result: InvocationResult) -> bool:
    """Return whether a run of the consumer may have ended with something that is not acknowledged or committed."""
    return _summary(result).get("graceful") is not True


def alerted_twice_by(happened: Sequence[ProcessFault], aws: Injected) -> set[str]:
    """Return what may have told an alert twice; a claim or a mark whose answer is lost is recognised."""
    return _cut_off(happened, ALERTS) | lost_answers(aws, ALERTS, "sns")


def outlived_its_lease(happened: Iterable[ProcessFault]) -> bool:
    """Return whether a consumer was frozen past its lease, by whatever."""
    return any(one.function == CONSUMER and _is_frozen(one) for one in happened)


def that_happened(faults: Iterable[ProcessFault], injected: Container[str]) -> list[ProcessFault]:
    """Return the drawn faults that happened, by the names they are counted under; one that never came is no excuse."""
    return [fault for fault in faults if fault.name in injected]


def _cut_off(happened: Iterable[ProcessFault], function: str) -> set[str]:
    """Return what ended a function's process, or froze it for so long that another took over."""
    own = [one for one in happened if one.function == function]
    return {one.name for one in own if one.kind is ProcessKind.KILLED or _is_frozen(one)}


def _is_frozen(fault: ProcessFault) -> bool:
    lasted = fault.kind is ProcessKind.PAUSED and fault.seconds >= LEASE_SECONDS
    return lasted or fault.kind is ProcessKind.TIMED_OUT


def _summary(result: InvocationResult) -> dict[str, Any]:
    return result.payload if result.function_error is None and isinstance(result.payload, dict) else {}
