"""Every kind of attack by its name, with the promise that it tries to break."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.adversary.plan import Attack

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.adversary.plan import Drawn


@dataclass(frozen=True, slots=True)
class Kind:
    """How attacks of one kind are drawn; `weight` is how often, relative to the others."""

    name: str
    promise: str
    draw: Drawn
    weight: int = 1


KINDS: dict[str, Kind] = {}


def kind(promise: str, weight: int = 1) -> Callable[[Drawn], Drawn]:
    """Register the decorated function, which draws a plan, under its own name."""

    def add(draw: Drawn) -> Drawn:
        name = draw.__name__.replace("_", "-")
        KINDS[name] = Kind(name, promise, draw, weight)
        return draw

    return add


def kind_of(seed: int) -> str:
    """Return the name of the kind that a seed draws."""
    kinds = [each for _, each in sorted(KINDS.items())]
    return random.Random(f"kind/{seed}").choices(kinds, [each.weight for each in kinds])[0].name


def drawn(seed: int, now: float, name: str | None = None) -> Attack:
    """Return the attack of that seed; `now` (epoch seconds) is the moment its updates are placed before.

    Everything else depends on the seed and the kind alone; without a name the seed decides the kind too.
    """
    chosen = KINDS[name or kind_of(seed)]
    name = chosen.name
    return Attack(name, seed, chosen.promise, chosen.draw(random.Random(f"{name}/{seed}"), now))
