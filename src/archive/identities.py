"""Numbers the values that thousands of an aircraft's updates share, so that they are held once."""

from __future__ import annotations

from typing import Final

type Identity = tuple[str | None, ...]
"""An update's fields of `update.IDENTITY`."""

MOST_REMEMBERED: Final = 200_000
"""So many are remembered: an hour of the world has half as many. What is forgotten is only held twice."""


class Identities(dict[Identity, int]):
    """Numbers identities as they are met: asked for one that it does not know, it has the next number for it."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = 0
        self._new: list[Identity] = []

    def __missing__(self, identity: Identity) -> int:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        number = self[identity] = self._counted
        self._counted += 1
        self._new.append(identity)
        return number

    def taken(self) -> tuple[int, list[Identity]]:
        """Return those that are new since the last time, and the first one's number."""
        new, self._new = self._new, []
        return self._counted - len(new), new

    def forget(self) -> None:
        """Begin again, with the first number."""
        self.clear()
        self._counted = 0
        self._new = []
