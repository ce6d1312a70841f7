"""A finding on one part of a stack: its level, a sentence, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ops.errors import AWS_ERRORS, DamagedError, OpsError, explained, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OK: Final = "ok"
ATTENTION: Final = "attention"
UNKNOWN: Final = "unknown"

REPAIR: Final = "`ops repair` puts it back"
SWITCH_ON: Final = "`ops drain --resume`; if it was deployed so, ScheduleState=ENABLED"
"""What to do about a stack that is not as it was deployed: a deployment compares with the one before alone."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is `ok`, `attention` or `unknown`; `do` is what to do, empty where nothing is."""

    part: str
    state: str
    text: str
    do: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def gather(looks: Iterable[tuple[str, Callable[[], Iterable[Finding]]]]) -> list[Finding]:
    """Return what each look finds; one that AWS refuses is unknown, and stops no other. What AWS has not is gone.

    Raises
    ------
    OpsError
        Nothing could be looked at: the stack has ended, or AWS cannot be reached.
    """
    found: list[Finding] = []
    failed: list[str] = []
    looked_at = 0
    for part, look in looks:
        try:
            found += look()
            looked_at += 1
        except DamagedError as error:
            found.append(Finding(part, ATTENTION, str(error)))
            looked_at += 1
        except (*AWS_ERRORS, OpsError) as error:
            if is_gone(error):
                found.append(Finding(part, ATTENTION, f"gone: {explained(error)}", f"deleted by hand: {REPAIR}"))
                looked_at += 1
                continue
            failed.append(explained(error))
            found.append(Finding(part, UNKNOWN, f"cannot be looked at: {failed[-1]}"))
    if failed and not looked_at:
        raise OpsError(f"nothing can be looked at: {failed[0]}")
    return found


def as_json(stack: str, at: str, findings: list[Finding]) -> dict[str, Any]:
    """Return findings for machines."""
    return {"stack": stack, "at": at, "healthy": is_well(findings), "parts": [asdict(one) for one in findings]}


def is_well(findings: Iterable[Finding]) -> bool:
    """Return whether nothing needs attention."""
    return all(one.state != ATTENTION for one in findings)
