"""Judges an attack on the live objects: by its own reader, against its own count of what was sent."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.adversary.judge import Broken, encodings, texts
from tests.adversary.live import FIRST_WINDOW, WINDOW_SECONDS, closing_name
from tests.adversary.recount import Part, State, difference, joined
from tests.adversary.snapshot import IDENTITIES, POSITIONS, Snapshot, UnreadableError, read
from tests.adversary.stage import API_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.adversary.live import LiveEvidence, LivePlan
    from tests.adversary.store import Written

SHARDS = "live/shards.json"
_FORMAT = "a live object is as the page says"


def judge(plan: LivePlan, evidence: LiveEvidence, tolerance: float) -> list[Broken]:
    """Return every promise that the attack has broken; `tolerance` is what an invocation may be late, in seconds."""
    found = list(_invocations(plan, evidence, tolerance))
    opened = Opened()
    found += opened.take(evidence.written)
    found += [*_never_back(evidence.written, opened), *_once(evidence.written), *_secrets(evidence.written, opened)]
    if not found:
        found += [*_whole(plan, evidence, opened), *_identities(plan, evidence, opened), *_listed(plan, evidence)]
        found += [*_split(plan, opened), *_never_older(evidence.written, opened)]
    return [*found, *texts(evidence.log)]


@dataclass(slots=True)
class Opened:
    """The snapshots among what was written, by their bytes."""

    snapshots: dict[bytes, Snapshot] = field(default_factory=dict)

    def take(self, written: list[Written]) -> Iterator[Broken]:
        """Open each; what cannot be opened, or is not what its key says, breaks a promise."""
        for one in written:
            if one.key.endswith(".json") or one.content in self.snapshots:
                continue
            try:
                snapshot = self.snapshots[one.content] = read(one.content)
            except UnreadableError as error:
                yield Broken(_FORMAT, f"{one.key}: {error}")
                continue
            if complaint := _misplaced(one.key, snapshot):
                yield Broken(_FORMAT, f"{one.key}: {complaint}")

    def view(self, objects: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        """Return each aircraft's newest row, as a reader finds it that knows the keys by the page alone."""
        newest: dict[str, dict[str, Any]] = {}
        for content in self.found(objects):
            for address, row in self.snapshots[content].aircraft.items():
                known = newest.get(address)
                newest[address] = row if known is None else _newer(known, row)
        return newest

    def found(self, objects: Mapping[str, bytes], suffix: str = "") -> Iterator[bytes]:
        """Yield the snapshots that a reader joins: open windows, their earlier parts, the windows before them."""
        listed = json.loads(objects.get(SHARDS, b'{"shards":{}}'))["shards"]
        for shard, about in listed.items():
            content = objects.get(f"live/{shard}/open")
            if content is None:
                continue
            keys = [f"live/{shard}/open", *_earlier(shard, self.snapshots[content])]
            since = datetime.fromisoformat(about["since"]).timestamp()
            end = self.snapshots[content].header["window_start"] // 1000
            while end > since:
                key = f"live/{shard}/closed/{datetime.fromtimestamp(end, UTC):%Y%m%dT%H%M%SZ}"
                keys.append(key)
                if key in objects:
                    keys += _earlier(shard, self.snapshots[objects[key]])
                end -= WINDOW_SECONDS
            for key in keys:
                if (found := objects.get(key + suffix)) is not None:
                    yield found


def _earlier(shard: str, snapshot: Snapshot) -> list[str]:
    """Return the keys of a window's parts before this one."""
    end = datetime.fromtimestamp(snapshot.header["window_end"] // 1000, UTC)
    return [f"live/{shard}/closed/{end:%Y%m%dT%H%M%SZ}.{part}" for part in range(snapshot.header.get("part", 0))]


def _misplaced(key: str, snapshot: Snapshot) -> str | None:
    """Return in what a snapshot is not what its key says."""
    _, shard, *rest = key.split("/")
    header = snapshot.header
    if (snapshot.kind == IDENTITIES) != key.endswith("-identity"):
        return f"kind {snapshot.kind}"
    if header["shard"] != shard or bool(header.get("closed")) != (rest[0] == "closed"):
        return f"shard {header['shard']}, closed {header.get('closed')}"
    if rest[0] == "closed":
        name, _, part = rest[1].removesuffix("-identity").partition(".")
        end = f"{datetime.fromtimestamp(header['window_end'] // 1000, UTC):%Y%m%dT%H%M%SZ}"
        if name != end or (part and int(part) != header.get("part", 0)):
            return f"part {header.get('part', 0)} of the window that ends at {end}"
    return None


def _newer(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    newer, older = (second, first) if _when(second) > _when(first) else (first, second)
    if newer["latitude"] is not None or older["latitude"] is None:
        return newer
    age = newer["measured"] - older["measured"] + older["position_age"]
    return {**newer, "latitude": older["latitude"], "longitude": older["longitude"], "position_age": age}


def _when(row: dict[str, Any]) -> tuple[int, int, float]:
    delay = float("-inf") if row["delay"] is None else row["measured"] + row["delay"]
    return row["measured"], row["measured"] + row["ahead"], delay


# ------------------------------------------------------------------------------------------------------- promises


def _invocations(plan: LivePlan, evidence: LiveEvidence, tolerance: float) -> Iterator[Broken]:
    for number, (step, outcome) in enumerate(zip(plan.steps, evidence.outcomes, strict=True)):
        what = f"step {number}, window {step.window} of {step.shard}"
        if outcome.ended == "memory":
            yield Broken("memory", f"{what} took more than {plan.megabytes} MB")
        elif outcome.ended != "returned" or outcome.took - outcome.starved > plan.fastest + tolerance + evidence.stall:
            yield Broken("deadline", f"{what}: {outcome.ended} after {outcome.took:.1f} s")
        elif outcome.result is None:
            yield Broken("a live write fails no window", f"{what}: {outcome.error}")
    if len(evidence.log) > plan.log:
        yield Broken("bounded costs", f"{len(evidence.log)} bytes of log, where {plan.log} are enough")


def _never_back(written: list[Written], opened: Opened) -> Iterator[Broken]:
    reached: dict[str, tuple[int, int, int]] = {}
    for one in written:
        if one.content not in opened.snapshots:
            continue
        order = opened.snapshots[one.content].order
        if "/closed/" not in one.key and order < reached.get(one.key, order):
            yield Broken(
                "a newer snapshot never gives way to an older one", f"{one.key}: {reached[one.key]}, then {order}"
            )
            return
        reached[one.key] = order


def _once(written: list[Written]) -> Iterator[Broken]:
    closed: dict[str, bytes] = {}
    for one in written:
        if "/closed/" in one.key and closed.setdefault(one.key, one.content) != one.content:
            yield Broken("what has closed never changes", one.key)
            return


def _secrets(written: list[Written], opened: Opened) -> Iterator[Broken]:
    dresses = encodings(API_TOKEN)
    for one in written:
        snapshot = opened.snapshots.get(one.content)
        content = one.content + (snapshot.text if snapshot else b"")
        for way, dress in dresses.items():
            if dress.encode() in content:
                yield Broken("no secret outside its place", f"the API token, {way}, is in {one.key}")
                return


def _parts(plan: LivePlan, until: int) -> dict[tuple[str, int], list[Part]]:
    """Return the windows' parts as far as they are known, counted from the first steps."""
    parts: dict[tuple[str, int], list[Part]] = defaultdict(lambda: [Part()])
    for step in plan.steps[:until]:
        window = parts[step.shard, step.window]
        if step.again is None:
            for update in step.updates:
                window[-1].add(update)
            if step.ends == "early":
                window.append(Part())
    return parts


def _whole(plan: LivePlan, evidence: LiveEvidence, opened: Opened) -> Iterator[Broken]:
    """Judge each moment after a step of every shard in which S3 was well: all that was sent by then is shown."""
    objects: dict[str, bytes] = {}
    done, well = 0, set[str]()
    shards = {step.shard for step in plan.steps}
    for moment in evidence.moments:
        for one in evidence.written[done : moment.writes]:
            objects[one.key] = one.content
        done, step = moment.writes, plan.steps[moment.step]
        (well.discard if step.rules or step.again is not None else well.add)(step.shard)
        if step.kills or well & shards != {each.shard for each in plan.steps[: moment.step + 1]}:
            continue
        parts = _parts(plan, moment.step + 1)
        due = joined([part.states for window, each in parts.items() if window not in plan.unowed for part in each])
        also = [part.states for window, each in parts.items() if window in plan.unowed for part in each]
        if complaint := _compared(opened.view(objects), due, also):
            yield Broken(
                "the joined snapshots are the newest of what was sent", f"after step {moment.step}: {complaint}"
            )
            return


def _compared(shown: dict[str, dict[str, Any]], due: dict[str, State], also: list[dict[str, State]]) -> str | None:
    """Return in what the reader's view is not what is due; what is in `also` may be shown, and need not."""
    allowed = defaultdict(list)
    for address, state in due.items():
        allowed[address].append(state)
    for states in also:
        for address, state in joined([due, states]).items():
            allowed[address].append(state)
    if missing := sorted(due.keys() - shown.keys()):
        return f"{len(missing)} of {len(due)} aircraft are missing: {missing[:5]}"
    if unknown := sorted(shown.keys() - allowed.keys()):
        return f"{len(unknown)} aircraft that nobody sent: {unknown[:5]}"
    for address, row in shown.items():
        complaints = [difference(state, row) for state in allowed[address]]
        if all(complaints):
            return f"{address}: {complaints[0]}"
    return None


def _never_older(written: list[Written], opened: Opened) -> Iterator[Broken]:
    """Judge what a reader sees after each write: no aircraft that was there is gone or older."""
    objects: dict[str, bytes] = {}
    before: dict[str, tuple[int, int, float]] = {}
    for one in written:
        objects[one.key] = one.content
        if one.key.endswith("-identity"):
            continue
        now = {address: _when(row) for address, row in opened.view(objects).items()}
        for address, known in before.items():
            if now.get(address, ()) < known:
                yield Broken(
                    "a reader never goes back", f"{address} after a write of {one.key}: {now.get(address)}, was {known}"
                )
                return
        before = now


def _identities(plan: LivePlan, evidence: LiveEvidence, opened: Opened) -> Iterator[Broken]:
    objects = {one.key: one.content for one in evidence.written}
    for key, content in objects.items():
        snapshot = opened.snapshots.get(content)
        if snapshot is None or snapshot.kind != POSITIONS:
            continue
        beside = objects.get(f"{key}-identity")
        if beside is None:
            yield Broken("identities are beside the positions", f"{key}-identity is not there")
            return
        named = opened.snapshots[beside]
        if named.header.get("identity") != snapshot.header.get("identity"):
            seen = f"{key} names {snapshot.header.get('identity')}, beside it lies {named.header.get('identity')}"
            yield Broken("identities are beside the positions", seen)
            return
        if (
            snapshot.header.get("closed")
            and named.aircraft.keys() != snapshot.aircraft.keys()
            and not snapshot.header.get("left_out")
        ):
            yield Broken("identities are beside the positions", f"{key}: of other aircraft than the positions")
            return
    yield from _named(plan, objects, opened)


def _named(plan: LivePlan, objects: dict[str, bytes], opened: Opened) -> Iterator[Broken]:
    """Compare the identities of closed windows with the newest update of each aircraft: those of its newest part."""
    for (shard, window), parts in _parts(plan, len(plan.steps)).items():
        key = f"live/{shard}/closed/{closing_name(window)}"
        if key not in objects:
            continue
        shown, newest = dict[str, dict[str, Any]](), dict[str, tuple[int, int, float]]()
        for each in [key, *_earlier(shard, opened.snapshots[objects[key]])]:
            if each not in objects:
                continue
            named = opened.snapshots[objects[f"{each}-identity"]].aircraft
            for address, row in opened.snapshots[objects[each]].aircraft.items():
                if address not in newest or _when(row) > newest[address]:
                    newest[address], shown[address] = _when(row), named.get(address, {})
        for address, state in joined([part.states for part in parts]).items():
            seen = {name: value for name, value in shown.get(address, {}).items() if name in state.identity}
            wrong = {
                name: (value, state.identity[name]) for name, value in seen.items() if value != state.identity[name]
            }
            if wrong:
                yield Broken("identities are those of the newest update", f"{key}: {address} {wrong} (shown, due)")
                return


def _split(plan: LivePlan, opened: Opened) -> Iterator[Broken]:
    parts = {snapshot.header.get("part", 0) for snapshot in opened.snapshots.values()}
    if plan.splits and parts <= {0}:
        yield Broken("a window that outgrows its state is cut in parts", "all that was written is of part 0")


def _listed(plan: LivePlan, evidence: LiveEvidence) -> Iterator[Broken]:
    objects = {one.key: one.content for one in evidence.written}
    listed = json.loads(objects.get(SHARDS, b"{}"))
    for shard in {step.shard for step in plan.steps}:
        first = min(step.window for step in plan.steps if step.shard == shard)
        since = f"{datetime.fromtimestamp(FIRST_WINDOW + first * WINDOW_SECONDS, UTC):%Y-%m-%dT%H:%M:%SZ}"
        found = listed.get("shards", {}).get(shard, {}).get("since")
        written = any(one.key.startswith(f"live/{shard}/open") for one in evidence.written)
        if written and (found != since or listed.get("window_seconds") != WINDOW_SECONDS):
            yield Broken("every shard is in the list", f"{shard}: since {found}, due {since}; {listed}")
            return
