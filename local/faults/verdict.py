"""Judges a fault schedule against the promises: compares stream and sinks with the feed. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from local.audit import archive
from local.audit.ledger import compare, identity, identity_of_line
from local.faults import recount, snapshot_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.audit.envelope import StoredRecord
    from local.audit.ledger import Identity
    from local.audit.update_key import Key
    from local.faults.recount import AlertKey
    from local.faults.snapshot_verdict import Shown

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was found after a schedule; `misplaced` counts envelopes that a reshard put into another shard.

    `stream` are the updates in Kinesis, those in envelopes among them. `commits` are the moments at which a checkpoint
    was written and how many lines of the feed its token stands behind.
    `doubled_by` and `alerted_twice_by` name what happened that may duplicate an update or an alert.
    `archived` are the keys of the archive's rows, object by object.
    `frozen` is whether a consumer was frozen past its lease: nobody takes back what it had handed to the network.
    """

    feed: Sequence[bytes]
    stream: Sequence[StoredRecord]
    misplaced: int
    rows: Sequence[bytes]
    rejected: Sequence[bytes]
    notifications: Sequence[tuple[str, str, bytes]]
    dead_letters: int
    commits: Sequence[tuple[float, int]]
    doubled_by: frozenset[str]
    alerted_twice_by: frozenset[str]
    frozen: bool
    window: int
    suppression: float
    shown: Shown
    archived: Sequence[Sequence[Key]] = ()
    troubles: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Verdict:
    """Counts of broken promises, all 0 where they held; `notes` say what was seen.

    `duplicates`, `alerts`, `archived` and `misplaced` are no broken promises: they say what there was to be kept right.
    """

    lost: int = 0
    out_of_order: int = 0
    duplicates: int = 0
    duplicates_unexplained: int = 0
    windows_wrong: int = 0
    alerts: int = 0
    alerts_missing: int = 0
    alerts_repeated: int = 0
    snapshots_wrong: int = 0
    snapshots_went_back: int = 0
    secrets_shown: int = 0
    archived: int = 0
    archive_missing: int = 0
    archive_doubled: int = 0
    unfinished: int = 0
    misplaced: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every promise held."""
        return not (
            self.lost
            or self.out_of_order
            or self.duplicates_unexplained
            or self.windows_wrong
            or self.alerts_missing
            or self.alerts_repeated
            or self.snapshots_wrong
            or self.snapshots_went_back
            or self.secrets_shown
            or self.archive_missing
            or self.archive_doubled
            or self.unfinished
        )


def judge(seen: Observation) -> Verdict:
    """Judge what was seen."""
    verdict = Verdict(unfinished=len(seen.troubles), misplaced=seen.misplaced, notes=list(seen.troubles))
    _judge_stream(seen, verdict)
    _judge_windows(seen, verdict)
    _judge_alerts(seen, verdict)
    _judge_snapshots(seen, verdict)
    _judge_archive(seen, verdict)
    return verdict


def _judge_archive(seen: Observation, verdict: Verdict) -> None:
    """Hold the archive to the feed: each key once, in one object."""
    figures = archive.compare(seen.feed, seen.archived, seen.rejected)
    verdict.archived = figures.updates
    verdict.archive_missing = figures.missing
    verdict.archive_doubled = figures.doubled + figures.unexpected
    verdict.notes += figures.losses()


def _judge_stream(seen: Observation, verdict: Verdict) -> None:
    figures = compare(seen.feed, seen.stream, seen.rejected)
    verdict.lost, verdict.out_of_order, verdict.duplicates = figures.lost, figures.out_of_order, figures.duplicates
    if figures.unexpected:
        verdict.lost += figures.unexpected
        verdict.notes.append(f"{figures.unexpected} records in Kinesis are no updates that were sent")
    if figures.lost:
        verdict.notes.append(f"lost lines: {_lost(seen)}")
    if figures.out_of_order:
        verdict.notes.append(f"{figures.out_of_order} updates came after a later one of their aircraft")
    if not figures.duplicates:
        return
    if not seen.doubled_by:
        verdict.duplicates_unexplained = figures.duplicates
        verdict.notes.append(f"{figures.duplicates} updates doubled, though nothing happened that explains it")
        return
    too_old = 0 if seen.frozen else _too_old(seen)
    verdict.duplicates_unexplained = too_old
    if too_old:
        verdict.notes.append(f"{too_old} updates doubled that lie before the position committed when they came again")


def _lost(seen: Observation) -> str:
    there = {identity(stored.data) for stored in seen.stream} | set(map(identity_of_line, seen.rejected))
    return ", ".join(str(place) for place, line in enumerate(seen.feed) if identity_of_line(line) not in there)[:200]


def _too_old(seen: Observation) -> int:
    """Count the updates that came again although a position after them had been committed before."""
    places = {identity_of_line(line): place for place, line in enumerate(seen.feed)}
    known: set[Identity] = set()
    found = 0
    for stored in sorted(seen.stream, key=lambda one: one.arrival):
        name = identity(stored.data)
        if name in known:
            committed = max((lines for moment, lines in seen.commits if moment < stored.arrival), default=0)
            found += places.get(name, 0) < committed
        known.add(name)
    return found


def _judge_windows(seen: Observation, verdict: Verdict) -> None:
    expected = recount.windows(seen.stream, seen.window)
    rows = recount.merged(seen.rows)
    found = rows.aircraft
    wrong = [place for place in expected.keys() | found.keys() if expected.get(place) != found.get(place)]
    verdict.windows_wrong = len(wrong) + len(rows.mistotalled) + rows.contradictions + seen.dead_letters
    if rows.contradictions:
        verdict.notes.append(f"{rows.contradictions} rows bear another row's key and say something else")
    if seen.dead_letters:
        verdict.notes.append(f"{seen.dead_letters} records were given up")
    verdict.notes += [
        f"window {place}: counted {expected.get(place)}, found {found.get(place)}" for place in wrong[:_SHOWN]
    ]
    verdict.notes += [
        f"totals of {part}: {totals}, its rows of aircraft count {counted}"
        for part, (counted, totals) in list(rows.mistotalled.items())[:_SHOWN]
    ]


def _judge_alerts(seen: Observation, verdict: Verdict) -> None:
    expected = recount.alerts(seen.stream, seen.suppression)
    found: Counter[AlertKey] = Counter()
    for rule, address, data in seen.notifications:
        update = msgspec.json.decode(data, type=dict[str, Any])
        found[rule, address, update["timestamp"], update["ingestion_time"]] += 1
    verdict.alerts = expected.total()
    verdict.alerts_missing = (expected - found).total()
    uncalled_for = [key for key in found if key not in expected]
    repeated = (found - expected).total()
    verdict.alerts_repeated = len(uncalled_for) if seen.alerted_twice_by else repeated
    verdict.notes += [f"alert missing: {key}" for key in list(expected - found)[:_SHOWN]]
    verdict.notes += [f"alert too many: {key}" for key in list(found - expected)[:_SHOWN] if verdict.alerts_repeated]


def _judge_snapshots(seen: Observation, verdict: Verdict) -> None:
    wrong, leaks = snapshot_verdict.wrong(seen.shown, seen.stream), snapshot_verdict.leaks(seen.shown)
    verdict.snapshots_wrong, verdict.snapshots_went_back = len(wrong), len(seen.shown.went_back)
    verdict.secrets_shown = len(leaks)
    verdict.notes += [f"snapshot: {one}" for one in (*wrong[:_SHOWN], *seen.shown.went_back[:_SHOWN])]
    verdict.notes += [f"a secret is shown in {name}" for name in leaks[:_SHOWN]]
