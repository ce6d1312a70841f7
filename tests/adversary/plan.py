"""What an attack is: data, drawn from a seed, that say what is sent, what fails, and what is promised all the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.adversary.feed import Gate, Line, Token
from tests.adversary.ledger import Update, mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.adversary.asking import AskPlan
    from tests.adversary.events import FunctionPlan
    from tests.adversary.feed import Item
    from tests.adversary.live import LivePlan
    from tests.adversary.redrive import RedrivePlan
    from tests.adversary.wire import Rule


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of the consumer, and what happens to it.

    `end`: `deadline` (let it run), `settled` (SIGTERM as soon as nothing is owed any more), `terminate` or `kill`
    (`after` so many seconds). `frozen` stops the process for so long before it, as Lambda does between invocations.
    `fresh` begins in a new process, `lease_free` when the lease of a killed run has run out. `checkpoint` replaces the
    object of that name first.
    """

    seconds: float = 4.0
    rules: tuple[Rule, ...] = ()
    end: str = "deadline"
    after: float = 0.0
    frozen: float = 0.0
    fresh: bool = False
    lease_free: bool = False
    event: Any = field(default_factory=lambda: {"detail": {}})
    checkpoint: bytes | None = None
    restored: bool = False
    """Whether the checkpoint that was replaced is put back first."""


SETTLE = Run(seconds=14.0, end="settled", lease_free=True)
"""A run in which all is well: what is owed has to arrive in it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an attack may cost at most: bytes, bytes, calls, megabytes."""

    log: int = 200_000
    checkpoint: int = 300_000
    object: int = 6 << 20
    requests: int = 60
    checkpoint_writes: int = 120
    request_head: int = 8_192


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """An attack on the consumer, from the feed and from AWS."""

    script: tuple[Item, ...]
    updates: tuple[Update, ...]
    runs: tuple[Run, ...]
    record_format: str = "single"
    shards: int = 1
    environment: tuple[tuple[str, str], ...] = ()
    megabytes: int = 256
    idle: float | None = 0.2
    framing: str = "chunked"
    feed_headers: tuple[tuple[str, str], ...] = ()
    may_double: bool = False
    """Whether more is read than can be remembered: all else that explains duplicates is seen when it happens."""
    heals: bool = True
    """Whether the last run has to end in order with nothing owed."""
    bounds: Bounds = field(default_factory=Bounds)
    chain: bool = False
    """Whether the aggregator and the alerts function read what was published."""
    moves: bool = False
    """Whether shards are split and merged, so that an aircraft may come to lie on another one."""
    black_hole: str = ""
    """`feed` or `aws`: connecting to it never ends."""
    hidden_marks: tuple[str, ...] = ()
    """Texts of the provider that must begin no line of a log."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: its kind, what was promised, and its plan."""

    kind: str
    seed: int
    promise: str
    plan: AskPlan | ConsumerPlan | FunctionPlan | LivePlan | RedrivePlan


type Drawn = Callable[[Random, float], AskPlan | ConsumerPlan | FunctionPlan | LivePlan | RedrivePlan]


class Traffic:
    """Builds a script: updates of some aircraft that follow one another a moment apart, and whatever lies between.

    The first is ingested `age` seconds before `now` (epoch seconds), the following ones `step` seconds later each.
    """

    def __init__(self, rng: Random, now: float, *, age: float = 900.0, step: float = 0.05, aircraft: int = 20) -> None:
        self.items: list[Item] = []
        self.updates: list[Update] = []
        self._rng = rng
        self._time = now - age
        self._step = step
        self.addresses = [f"{rng.randrange(1 << 24):06X}" for _ in range(aircraft)]

    def body(self, address: str | None = None, **fields: Any) -> dict[str, Any]:
        """Return the next update's fields, noting it as owed; `fields` replace or add, None leaves one out."""
        number = len(self.updates)
        self._time += self._step
        address = address or self.addresses[number % len(self.addresses)]
        made: dict[str, Any] = {
            "ingestion_time": stamp(self._time),
            "icao_address": address,
            "timestamp": stamp(self._time - self._rng.uniform(1, 4)),
            "latitude": round(self._rng.uniform(30, 32), 6),
            "longitude": round(self._rng.uniform(120, 122), 6),
            "altitude_baro": self._rng.randrange(0, 41000, 25),
            "speed": float(self._rng.randrange(0, 560)),
            "heading": round(self._rng.uniform(0, 360), 3),
            "vertical_rate": self._rng.randrange(-2816, 3008, 64),
            "squawk": f"{self._rng.randrange(0o0001, 0o7000):04o}",
            "on_ground": False,
            "callsign": f"CCA{self._rng.randrange(100, 9999)}",
            "collection_type": "terrestrial",
            "flight_id": mark(number),
        }
        made |= fields
        self.updates.append(Update(number, address))
        return {name: value for name, value in made.items() if value is not None}

    def update(self, address: str | None = None, *, again: bool = False, **fields: Any) -> None:
        """Add one update; `again` sends it with its keys in another order from the second time on."""
        made = self.body(address, **fields)
        shuffled = dict(sorted(made.items(), reverse=True))
        self.line(_target(made), again=_target(shuffled) if again else None)

    def line(self, content: bytes, *, again: bytes | None = None) -> None:
        """Add a line as it is, ingested at the newest update's true time."""
        self.items.append(Line(content, self._time, again))

    def owe(self, what: str, last: int = 1) -> None:
        """Say what the last so many updates have a right to."""
        for index in range(len(self.updates) - last, len(self.updates)):
            old = self.updates[index]
            self.updates[index] = Update(old.number, old.address, what)

    def token(self) -> None:
        """Add a position token."""
        self.items.append(Token())

    def intervals(self, tokens: int, updates: int, **fields: Any) -> None:
        """Add so many intervals: updates, and a token behind them."""
        for _ in range(tokens):
            for _ in range(updates):
                self.update(**fields)
            self.token()

    def gate(self, run: int) -> None:
        """What follows exists from that run on."""
        self.items.append(Gate(run))

    def skip(self, seconds: float) -> None:
        """Let the ingestion times go on so much later."""
        self._time += seconds

    def plan(self, *runs: Run, **rest: Any) -> ConsumerPlan:
        """Return the plan with these runs."""
        return ConsumerPlan(tuple(self.items), tuple(self.updates), runs, **rest)


def stamp(seconds: float) -> str:
    """Return epoch seconds as the feed writes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _target(fields: dict[str, Any]) -> bytes:
    return b'{"target":' + json.dumps(fields, separators=(",", ":")).encode() + b"}"
