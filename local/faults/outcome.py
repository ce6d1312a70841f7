"""What one fault schedule comes to: an outcome, or a harness that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from local.faults.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """A schedule's verdict, the faults that happened by kind, and how long it took in seconds.

    `lengthened` is how often the consumer's runs were given twice the time, on a machine too slow for what they had.
    """

    seed: int
    record_format: str
    verdict: Verdict
    faults: Counter[str]
    seconds: float
    lengthened: int = 0


@dataclass(frozen=True, slots=True)
class Crash:
    """The harness itself failed in a schedule; `text` says how."""

    text: str
