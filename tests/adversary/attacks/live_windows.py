"""Windows whose live objects S3 refuses, delays, loses the answers of, or gets again from invocations of long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.adversary.attacks.register import kind
from tests.adversary.aws import Late
from tests.adversary.events import SHARD, Aircraft, packed, text
from tests.adversary.live import LivePlan, Step
from tests.adversary.odd_answers import PLAIN, Odd
from tests.adversary.wire import Close, Delay, Hang, Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

OTHER = "shardId-000000000001"
_LONG_NAMES = ("flight_number", "tail_number", "aircraft_type_icao", "departure_airport_icao", "arrival_airport_icao")
_OBJECTS = ("open", "open-identity", "closed", "closed-identity", "shards")


class Sky:
    """Draws batches of some aircraft, and the steps that hand them over."""

    def __init__(self, rng: Random, now: float, aircraft: int, *, after: float = 1.0) -> None:
        """Draw so many aircraft, with updates so many seconds one after the other."""
        self._rng = rng
        self._after = after
        self._aircraft = Aircraft(rng, now)
        self.addresses = [self._aircraft.address() for _ in range(aircraft)]
        self._north = {address: rng.uniform(-60, 60) for address in self.addresses}
        self._east = {address: rng.uniform(-170, 170) for address in self.addresses}

    def rename(self, addresses: list[str]) -> None:
        """Give the aircraft other addresses."""
        self._north = dict(zip(addresses, self._north.values(), strict=True))
        self._east = dict(zip(addresses, self._east.values(), strict=True))
        self.addresses = addresses

    def update(self, address: str, **fields: Any) -> dict[str, Any]:
        """Return the aircraft's next update, a little further north."""
        rng = self._rng
        self._north[address] += 0.001
        made: dict[str, Any] = {
            "latitude": round(self._north[address], 6),
            "longitude": round(self._east[address], 6),
            "altitude_baro": rng.randrange(0, 41_000, 25),
            "speed": float(rng.randrange(560)),
            "heading": round(rng.uniform(0, 360), 3),
            "vertical_rate": rng.randrange(-2816, 3008, 64),
            "squawk": f"{rng.randrange(0o0001, 0o7000):04o}",
            "callsign": f"CCA{rng.randrange(100, 9999)}",
            "on_ground": rng.choice([False, True, None]),
        }
        made |= fields
        return self._aircraft.update(address, after=self._after, **made)

    def batch(self, window: int, updates: int, shard: str = SHARD, **rest: Any) -> Step:
        """Return a step that hands so many updates over, single or in an envelope."""
        made = [self.update(self._rng.choice(self.addresses)) for _ in range(updates)]
        return batch(self._rng, window, made, shard, **rest)


def batch(rng: Random, window: int, updates: list[dict[str, Any]], shard: str = SHARD, **rest: Any) -> Step:
    """Return a step that hands these updates over, single or in an envelope."""
    records = packed(rng, [text(each) for each in updates], updates, shard)
    return Step(shard, window, tuple(records), tuple(updates), **rest)


def trouble(rng: Random, *, patient: bool = True) -> tuple[Rule, ...]:
    """Return what S3 does to the live objects of an invocation; if it may not wait, nothing that takes seconds."""
    statuses = [
        Instead(Reply(status, b"<Error><Code>Refused</Code><Message>No.</Message></Error>"))
        for status in (400, 403, 404, 409, 412, 500, 503)
    ]
    manners: list[object] = [
        *statuses,
        Odd(rng.choice(PLAIN)),
        Odd(rng.choice(PLAIN), executed=True),
        Close(),
        Close(executed=True),
        Instead(Reply(500, b""), executed=True),
        Instead(Reply(412, b""), executed=True),
        Delay(rng.choice([0.1, 0.5]), executed=True),
    ]
    if patient and rng.random() < 0.2:
        manners = [Hang(), Late(rng.choice([2.5, 6.0])), Delay(3.0, executed=True)]
    manner = rng.choice(manners)
    if rng.random() < 0.3:
        methods = ("put", "get", "head") if rng.random() < 0.5 else ("put",)
        return tuple(Rule(f"s3.{method}.live*", manner) for method in methods)
    chosen = rng.sample(_OBJECTS, rng.choice([1, 2]))
    count = rng.choice([1, 1 << 30])
    return tuple(Rule(f"s3.put.live.{name}", manner, count=count) for name in chosen)


@kind("a live write that fails or takes long fails no window, and the next one carries all of it", weight=3)
def live_writes(rng: Random, now: float) -> LivePlan:
    """Some windows whose invocations are met by troubles; then one in which all is well."""
    sky = Sky(rng, now, rng.choice([2, 30]))
    steps: list[Step] = []
    windows = rng.randrange(1, 4)
    for window in range(windows):
        for _ in range(rng.randrange(1, 4)):
            rules = trouble(rng) if rng.random() < 0.5 else ()
            steps.append(sky.batch(window, rng.randrange(1, 12), rules=rules))
        rules = trouble(rng) if rng.random() < 0.5 else ()
        last = sky.batch(window, rng.choice([0, 0, 3]), rules=rules, ends="closed")
        steps.append(last)
    steps += [sky.batch(windows, 2), sky.batch(windows, 0, ends="closed")]
    return LivePlan(tuple(steps))


@kind("an old invocation that Lambda tries again, in whatever environment, takes nothing newer away", weight=3)
def live_retries(rng: Random, now: float) -> LivePlan:
    """Windows served by two environments in turn; invocations of long ago come again, and late writes land."""
    sky = Sky(rng, now, rng.choice([2, 20]))
    steps: list[Step] = []
    windows = rng.randrange(2, 4)
    for window in range(windows):
        process = rng.randrange(2)
        for _ in range(rng.randrange(1, 4)):
            process = process if rng.random() < 0.6 else 1 - process
            steps.append(sky.batch(window, rng.randrange(1, 8), process=process))
            if rng.random() < 0.5:
                steps.append(_retried(rng, steps))
        steps.append(sky.batch(window, rng.choice([0, 0, 2]), ends="closed", process=process))
        steps += [_retried(rng, steps) for _ in range(rng.randrange(3))]
    last = rng.randrange(2)
    steps += [sky.batch(windows, 2, process=last), _retried(rng, steps)]
    steps += [sky.batch(windows, 0, ends="closed", process=last), _retried(rng, steps)]
    return LivePlan(tuple(steps))


def _retried(rng: Random, steps: list[Step]) -> Step:
    """Return a step before, once more: in any environment, and perhaps with writes that S3 carries out much later."""
    again = rng.choice([number for number, step in enumerate(steps) if step.again is None])
    old = steps[again]
    rules = (Rule("s3.put.live.open*", Late(rng.choice([2.1, 2.6])), count=1),) if rng.random() < 0.1 else ()
    return Step(old.shard, old.window, process=rng.randrange(2), again=again, rules=rules)


@kind(
    "a window that closes while the one before is still refused is shown when that is there, and no earlier", weight=2
)
def live_backlog(rng: Random, now: float) -> LivePlan:
    """S3 refuses what closes for several windows, then takes it."""
    sky = Sky(rng, now, rng.choice([2, 20]))
    steps: list[Step] = []
    windows = rng.randrange(2, 7)
    refused = Instead(Reply(rng.choice([403, 409, 412, 500, 503]), b""))
    names = rng.choice([("closed",), ("closed-identity",), ("closed", "open"), ("closed*", "head")])
    rules = tuple(Rule("s3.head.live*" if name == "head" else f"s3.put.live.{name}", refused) for name in names)
    for window in range(windows):
        steps += [
            sky.batch(window, rng.randrange(1, 6), rules=rules if rng.random() < 0.8 else ())
            for _ in range(rng.randrange(1, 3))
        ]
        steps.append(sky.batch(window, rng.choice([0, 2]), ends="closed", rules=rules))
    steps += [sky.batch(windows, 2), sky.batch(windows, 0, ends="closed")]
    return LivePlan(tuple(steps))


@kind("a window in parts is all there, whichever of its parts S3 refuses", weight=2)
def live_parts(rng: Random, now: float) -> LivePlan:
    """Lambda ends windows early, once or several times; each time the next part begins empty."""
    sky = Sky(rng, now, rng.choice([3, 20]))
    steps: list[Step] = []
    windows = rng.randrange(1, 3)
    for window in range(windows):
        for _ in range(rng.randrange(1, 5)):
            rules = trouble(rng, patient=False) if rng.random() < 0.4 else ()
            early = "early" if rng.random() < 0.5 else ""
            steps.append(sky.batch(window, rng.choice([0, 2, 6] if early else [1, 6]), ends=early, rules=rules))
        steps.append(sky.batch(window, rng.choice([0, 0, 3]), ends="closed"))
    steps += [sky.batch(windows, 2), sky.batch(windows, 0, ends="closed")]
    return LivePlan(tuple(steps))


@kind("a window that outgrows its state is all there: each part holds some of its aircraft, and a reader all", weight=1)
def live_splits(rng: Random, now: float) -> LivePlan:
    """Aircraft whose names hardly compress, twice as many as a part holds; some come again in a later part."""
    sky = Sky(rng, now, 1_000, after=0.05)
    steps: list[Step] = []
    windows = rng.randrange(1, 3)
    troubled = rng.random() < 0.5
    for window in range(windows):
        rest = rng.sample(sky.addresses, len(sky.addresses))
        process = 0
        while rest:
            chosen, rest = rest[:125], rest[125:]
            again = rng.sample(sky.addresses, rng.choice([0, 10]))
            updates = [sky.update(address, **_long_names(rng)) for address in [*chosen, *again]]
            if troubled:
                rules = trouble(rng, patient=False) if rng.random() < 0.4 else ()
                steps.append(batch(rng, window, updates, rules=rules))
            else:
                process = process if rng.random() < 0.8 else 1 - process
                steps.append(batch(rng, window, updates, process=process))
                if rng.random() < 0.2:
                    steps.append(_retried(rng, steps))
        steps.append(sky.batch(window, rng.choice([0, 3]), ends="closed"))
    steps += [sky.batch(windows, 2), sky.batch(windows, 0, ends="closed")]
    return LivePlan(tuple(steps), splits=True, megabytes=1024)


def _long_names(rng: Random) -> dict[str, str]:
    """Return names of as many characters as they may have, of an alphabet of thousands."""
    return {
        name: "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(characters))
        for name, characters in (("airline_name", 256), *dict.fromkeys(_LONG_NAMES, 64).items())
    } | {"airline_iata": f"{rng.randrange(1 << 24):06X}"}


@kind("shards that begin and end beside one another are joined, each with all its windows", weight=2)
def live_shards(rng: Random, now: float) -> LivePlan:
    """Two shards' windows in two environments at once; aircraft move from one to the other, as after a reshard."""
    sky = Sky(rng, now, rng.choice([3, 20]))
    steps: list[Step] = []
    second = rng.randrange(0, 2)
    windows = second + rng.randrange(1, 3)
    for window in range(windows + 1):
        shards = [SHARD] if window < second else [SHARD, OTHER]
        for shard in shards * rng.randrange(1, 3):
            rules: tuple[Rule, ...] = ()
            if rng.random() < 0.3:
                reply = Instead(Reply(rng.choice([409, 412, 503]), b""))
                rules = (Rule(f"s3.{rng.choice(['put', 'get'])}.live.shards", reply, count=rng.choice([1, 99])),)
            steps.append(sky.batch(window, rng.randrange(1, 6), shard, process=int(shard == OTHER), rules=rules))
        steps += [sky.batch(window, 0, shard, process=int(shard == OTHER), ends="closed") for shard in shards]
    return LivePlan(tuple(steps))
