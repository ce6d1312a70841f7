"""Numbers the values that thousands of an aircraft's updates share, so that they are held once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

type Identity = tuple[str | None, ...]
"""An update's fields of `update.IDENTITY`."""

MOST_REMEMBERED: Final = 200_000
"""So many are remembered: an hour of the world has half as many. What is forgotten is only held twice."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str | None, ...]).decode


class Identities:
    """Numbers identities as they are met: one that is not known gets the next number.

    They are known by their bytes, which are hashed and compared at once: two dozen texts, one by one and each somewhere
    else in memory, take twice as long.
    """

    def __init__(self) -> None:
        self._known = _Numbers()

    def numbers(self, identities: Iterable[Identity]) -> list[int]:
        """Return the number of each."""
        known = self._known
        return [known[one] for one in map(_encode, identities)]

    def taken(self) -> tuple[int, list[Identity]]:
        """Return those that are new since the last time, and the first one's number."""
        new, self._known.new = self._known.new, []
        return self._known.counted - len(new), list(map(_decode, new))

    def forget(self) -> None:
        """Begin again, with the first number."""
        self._known = _Numbers()


class _Numbers(dict[bytes, int]):
    def __init__(self) -> None:
        super().__init__()
        self.counted = 0
        self.new: list[bytes] = []

    def __missing__(self, identity: bytes) -> int:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        number = self[identity] = self.counted
        self.counted += 1
        self.new.append(identity)
        return number
