"""The recorded counts, and how others compare with them.

A count belongs to one build of Python on one kind of processor: another patch release or another compiler makes other
instructions of the same code. Elsewhere nothing can be said, and that is what is said.
"""

from __future__ import annotations

import json
import platform
import sysconfig
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).with_name("recorded.json")

MOST_GROWTH = 0.15
"""Share by which a loop may take more instructions than recorded."""

_OPTIONS = ("--enable-optimizations", "--with-lto")
"""What Python can be configured with to be faster, by a tenth or more."""

HOW = "pipenv run python -m benchmarks.instructions --record"


@dataclass(frozen=True, slots=True)
class Build:
    """What a count depends on beside our code and the locked packages."""

    python: str
    machine: str
    compiler: str
    options: str

    @classmethod
    def running(cls) -> Build:
        """Return the build that runs this."""
        return cls(
            platform.python_version(),
            platform.machine(),
            platform.python_compiler(),
            " ".join(option for option in _OPTIONS if option in str(sysconfig.get_config_var("CONFIG_ARGS"))),
        )

    def differences(self, other: Build) -> list[str]:
        """Return how the other differs from this one, in words."""
        ours, others = asdict(self), asdict(other)
        return [f"{name} {ours[name]!r} (here: {others[name]!r})" for name in ours if ours[name] != others[name]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Instructions an update by loop, and the build they were counted with."""

    build: Build
    loops: Mapping[str, float]


def load(path: Path = FILE) -> Recorded:
    """Return what is recorded."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Recorded(Build(**content["recorded_with"]), content["instructions_per_update"])


def save(recorded: Recorded, path: Path = FILE) -> None:
    """Record again."""
    content = {
        "recorded_with": asdict(recorded.build),
        "instructions_per_update": {name: round(count) for name, count in sorted(recorded.loops.items())},
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def incomparable(recorded: Recorded) -> str | None:
    """Return why counts of the running Python cannot be compared with the record; None if they can."""
    differences = recorded.build.differences(Build.running())
    if not differences:
        return None
    return (
        f"the counts were recorded with another build of Python, {'; '.join(differences)}: nothing can be said here. "
        f"On the build that CI uses, record them again: {HOW}"
    )


def growth(recorded: Recorded, name: str, count: float) -> float:
    """Return by which share a loop takes more instructions than recorded; less than 0 if it takes fewer.

    Raises
    ------
    KeyError
        The loop is not in the record.
    """
    return count / recorded.loops[name] - 1


def complaint(recorded: Recorded, name: str, count: float) -> str | None:
    """Return what is wrong with a count, None if nothing is."""
    if name not in recorded.loops:
        return f"{name}: not recorded; record it: {HOW}"
    grown = growth(recorded, name, count)
    if grown <= MOST_GROWTH:
        return None
    return (
        f"{name}: {count:,.0f} instructions an update, {grown:+.0%} over the {recorded.loops[name]:,.0f} recorded; at "
        f"most {MOST_GROWTH:+.0%} is allowed. Find what made it dearer, or, if it is worth that, record it again: {HOW}"
    )
