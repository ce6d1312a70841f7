"""What may have doubled an update or an alert in a schedule: only what happened, and what can do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def doubled_by(happened: Sequence[ProcessFault], aws: Injected, results: Sequence[InvocationResult]) -> set[str]:
    """Return what may have doubled updates, from the process faults that happened and the results of the consumer.

    Two consumers at once are two execution environments. One does not know what the other has read, but where every run
    ended at a token, committed, the next begins behind all of it, in whichever.
    """
    found = _cut_off(happened, CONSUMER) | lost_answers(aws, CONSUMER)
    if any(isinstance(one.payload, dict) and one.payload.get("errorType") == _TIMED_OUT for one in results):
        found.add(_TIMED_OUT)
    if not all(map(_is_graceful, results)):
        found |= _names(happened, CONSUMER, {ProcessKind.TWO_AT_ONCE})
    return found


def alerted_twice_by(happened: Sequence[ProcessFault], aws: Injected) -> set[str]:
    """Return what may have told an alert twice."""
    return _cut_off(happened, ALERTS) | lost_answers(aws, ALERTS)


def outlived_its_lease(happened: Iterable[ProcessFault]) -> bool:
    """Return whether a consumer was frozen past its lease, by whatever."""
    return any(one.function == CONSUMER and _is_frozen(one) for one in happened)


def that_happened(faults: Iterable[ProcessFault], injected: Container[str]) -> list[ProcessFault]:
    """Return the drawn faults that happened, by the names they are counted under; one that never came is no excuse."""
    return [fault for fault in faults if fault.name in injected]


def _cut_off(happened: Iterable[ProcessFault], function: str) -> set[str]:
    """Return what ended a function's process, or froze it for so long that another took over."""
    return _names((one for one in happened if one.kind is ProcessKind.KILLED or _is_frozen(one)), function)


def _is_frozen(fault: ProcessFault) -> bool:
    lasted = fault.kind is ProcessKind.PAUSED and fault.seconds >= LEASE_SECONDS
    return lasted or fault.kind is ProcessKind.TIMED_OUT


def _names(
    faults: Iterable[ProcessFault], function: str, kinds: Container[ProcessKind] = frozenset(ProcessKind)
) -> set[str]:
    return {one.name for one in faults if one.function == function and one.kind in kinds}


def _is_graceful(result: InvocationResult) -> bool:
    summary = result.payload if result.function_error is None and isinstance(result.payload, dict) else {}
    return summary.get("graceful") is True
