"""Joins snapshots: each aircraft's newest state over closed windows, parts and the open windows of all shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from live.reader import Target


def joined(snapshots: Iterable[Iterable[Target]]) -> dict[str, Target]:
    """Return each aircraft's newest state by address, whatever the order of the snapshots.

    A newer state without a position keeps the newest known position, with the time of that position.
    """
    newest: dict[str, Target] = {}
    for snapshot in snapshots:
        for target in snapshot:
            known = newest.get(target.icao_address)
            newest[target.icao_address] = target if known is None else _merged(known, target)
    return newest


def _merged(first: Target, second: Target) -> Target:
    newer, older = (second, first) if second.freshness > first.freshness else (first, second)
    if older.position_measured is None:
        return newer
    if newer.position_measured is not None and newer.position_measured >= older.position_measured:
        return newer
    return newer._replace(position_measured=older.position_measured, latitude=older.latitude, longitude=older.longitude)
