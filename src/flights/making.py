"""Makes the flights of some days, each in a folder of its own that is gone afterwards."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flights import days
from flights.flight import flights
from flights.objects import DayObjects
from flights.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from flights.airports import Airports
    from flights.store import Input, Store

LOOK_BACK: Final = 7
"""Days whose flights a run by schedule makes again where the archive has changed since: late updates change an hour's
object, and yesterday's flights land today."""

_LEAST_SECONDS: Final = 60.0
"""That are left for a day to be begun."""


class Made(NamedTuple):
    """What became of a day; `flights` is None if there was nothing to do."""

    day: date
    updates: int = 0
    flights: int | None = None


class UnfinishedError(Exception):
    """There was no time for some days; the next run by schedule makes them."""


class Making:
    """Makes flights, with a folder for what is under way and so much memory for DuckDB."""

    def __init__(self, store: Store, airports: Airports, folder: Path, memory_megabytes: int) -> None:
        self._store = store
        self._airports = airports
        self._folder = folder
        self._memory = memory_megabytes

    def changed(self, today: date, remaining: Callable[[], float]) -> list[Made]:
        """Make the flights of those of the last days of which the archive has changed, the newest first."""
        return self._run((today - timedelta(days=back) for back in range(LOOK_BACK)), remaining, always=False)

    def days(self, asked: Iterable[date], remaining: Callable[[], float], *, only_changed: bool = False) -> list[Made]:
        """Make the flights of these days, or of those of them of which the archive has changed.

        Raises
        ------
        UnfinishedError
            There was no time for some of them; the others are made.
        """
        return self._run(asked, remaining, always=not only_changed)

    def _run(self, asked: Iterable[date], remaining: Callable[[], float], *, always: bool) -> list[Made]:
        made: list[Made] = []
        left: list[date] = []
        for day in asked:
            inputs = self._store.inputs(day)
            if not inputs or (not always and self._store.is_made_of(day, inputs)):
                made.append(Made(day))
            elif remaining() < _LEAST_SECONDS:
                left.append(day)
            else:
                made.append(self._make(day, inputs))
        if left:
            raise UnfinishedError(f"no time was left for {', '.join(map(str, left))}; made: {as_json(made)}")
        return made

    def _make(self, day: date, inputs: list[Input]) -> Made:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            updates = Updates(folder, self._memory)
            try:
                for one in inputs:
                    path = folder / "hour.parquet"
                    if self._store.download(one.key, path):
                        updates.add(path, *days.span(day))
                    path.unlink(missing_ok=True)
                count, until = updates.count, updates.until
                with DayObjects(folder) as objects:
                    for address, positions in updates.by_aircraft():
                        for flight in sorted(
                            days.of(day, flights(address, positions, self._airports, until)), key=lambda one: one.id
                        ):
                            objects.add(flight)
                    updates.close()
                    objects.write()
                    self._store.put(day, objects.book, objects.parquet, inputs)
                    return Made(day, count, objects.count)
            finally:
                updates.close()


def as_json(made: Iterable[Made]) -> dict[str, Any]:
    """Return what became of each day, for the function's answer and log."""
    return {
        str(one.day): "unchanged" if one.flights is None else {"updates": one.updates, "flights": one.flights}
        for one in made
    }
