"""The ledger of an hour of arrival: which raw objects were read, so that each is read once, and which were damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from common.s3_listing import Listed

VERSION: Final = 1


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one raw object held: `tag` is its content's, `damage` says what of it could not be read."""

    tag: str
    updates: int = 0
    rejected: int = 0
    """Lines that are not updates."""
    reason: str = ""
    """Why the first of them is not an update."""
    damage: str = ""


class Ledger(msgspec.Struct, frozen=True):
    """The raw objects of an hour of arrival that are in the archive, by key."""

    version: int = VERSION
    objects: dict[str, Entry] = {}

    def unread(self, listed: Iterable[Listed]) -> list[Listed]:
        """Return which objects are not in the archive, or were with another content."""
        return [raw for raw in listed if (entry := self.objects.get(raw.key)) is None or entry.tag != raw.tag]

    def joined(self, entries: dict[str, Entry]) -> Ledger:
        """Return a ledger that has these entries as well."""
        return Ledger(VERSION, dict(sorted((self.objects | entries).items())))


def decode(data: bytes) -> Ledger:
    """Return a ledger from its JSON.

    Raises
    ------
    ValueError
        It is not a ledger, or of another version.
    """
    ledger = msgspec.json.decode(data, type=Ledger)
    if ledger.version != VERSION:
        raise ValueError(f"version {ledger.version}; this function reads version {VERSION}")
    return ledger


encode = msgspec.json.Encoder(order="deterministic").encode
