"""Makes the flights of days, each in its own folder that is deleted afterwards.

A day that takes longer than a run is made in parts. They are stored side by side, and joined when all are there: so a
run that ends too early costs its part. A day has two objects, one replaced after the other, and each says of what it
was made: where a run ended between them, or two wrote at a time, the next one makes the day again.
"""

from __future__ import annotations

import gzip
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from common.duckdb_database import connected
from flights import days, parts, row
from flights.flight import flights
from flights.hour_files import BrokenHourError, HourFiles, UnreadHourError
from flights.made import Made, as_json
from flights.objects import DayObjects
from flights.store import ChangedError, Counts, Input, digest, mixed
from flights.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from flights.airports import Airports
    from flights.parts import Part, Plan
    from flights.store import Store

LOOK_BACK: Final = 7
"""Days whose flights a run by schedule makes again where the archive has changed since: late updates change an hour's
object, and yesterday's flights land today."""

_LEAST_SECONDS: Final = 60.0
"""That are left for a day to be begun."""

_SECONDS_FOR_ROW: Final = 45e-6
"""And of these so many for each row that it is made of, but for the first day of a run: the most that was measured on
one core, 30 microseconds (docs/flights.md), and half as much again for S3."""

_LEAST_FOR_PART: Final = 450.0
"""That are left for a part of a day to be begun: half of what a run has."""

_FASTEST: Final = 1
"""How gzip compresses parts, which are read once."""


_UNREAD: Final = (BrokenHourError, ChangedError, UnreadHourError)
"""Why a day is not made though there was time: it stays as it was."""


class UnfinishedError(Exception):
    """There was no time for some days; the next run by schedule makes them."""


class MissingPartError(Exception):
    """A day cannot be joined: a part of it is not made."""


class Making:
    """Makes flights, with a folder for what is under way and so much memory for DuckDB."""

    def __init__(
        self,
        store: Store,
        airports: Airports,
        folder: Path,
        memory_megabytes: int,
        most_rows: int = parts.MOST_ROWS,
    ) -> None:
        """`most_rows` is how many updates a run is given; see `parts.planned`."""
        self.store = store
        self._airports = airports
        self._folder = folder
        self._memory = memory_megabytes
        self._most_rows = most_rows

    def changed(self, now: datetime, remaining: Callable[[], float], *, in_parts: bool = False) -> list[Made]:
        """Make the flights of the last days for which the archive has changed, the newest first; see `days`.

        A day of more than one part waits until all the hours that it is made of are over: it would be made three times.
        """
        last = (now.date() - timedelta(days=back) for back in range(LOOK_BACK))
        return self._run(last, remaining, always=False, in_parts=in_parts, now=now)

    def days(
        self,
        asked: Iterable[date],
        remaining: Callable[[], float],
        *,
        only_changed: bool = False,
        in_parts: bool = False,
    ) -> list[Made]:
        """Make the flights of these days, or of those among them for which the archive has changed.

        With `in_parts`, days of more than one part are only planned, for somebody else to make them. Otherwise they are
        made part by part, and a run goes on where the one before it ended.

        Raises
        ------
        UnfinishedError
            There was no time for some of them; the others are made.
        BrokenHourError, ChangedError, UnreadHourError
            An hour of the archive cannot be read, and so some of them are as they were; the others are made.
        """
        return self._run(asked, remaining, always=not only_changed, in_parts=in_parts)

    def part(self, part: Part) -> Counts:
        """Make a part of a day, unless it is made already.

        Raises
        ------
        BrokenHourError, ChangedError, UnreadHourError
            An hour of the archive cannot be read.
        """
        found = self._there(part, digest(self.store.inputs(days.parsed(part.day))))
        return self._make_part(part) if found is None else found

    def _there(self, part: Part, made_of: str) -> Counts | None:
        """Return what a part came to; None if it is not made, or of other objects than these."""
        found = self.store.part(part)
        return found if found is not None and found.made_of == made_of else None

    def _make_part(self, part: Part) -> Counts:
        with self._scratch() as folder:
            path = folder / "part.gz"
            count = 0
            taken, made_of = self._updates(part, folder)
            with taken as updates, gzip.GzipFile(path, "wb", _FASTEST, mtime=0) as file:
                for line in self._lines(part, updates):
                    file.write(line + b"\n")
                    count += 1
                made = Counts(updates.count, count, made_of)
            self.store.put_part(part, path, made)
        return made

    def join(self, plan: Plan) -> Made:
        """Put the parts of a day together.

        Raises
        ------
        MissingPartError
            One of them is not made.
        """
        updates, made_of = 0, {plan.made_of}
        with self._scratch() as folder, DayObjects(folder, self._memory) as objects:
            path = folder / "part.gz"
            for part in plan.parts:
                counts = self.store.download_part(part, path)
                if counts is None:
                    raise MissingPartError(
                        f"{part.key}: not there; expected {len(plan.parts)} parts of {plan.day}. Make the day again"
                    )
                updates += counts.updates
                made_of.add(counts.made_of)
                with gzip.open(path) as file:
                    for line in file:
                        objects.add(line.rstrip(b"\n"))
            return self._put(plan, objects, updates, made_of)

    def _run(
        self,
        asked: Iterable[date],
        remaining: Callable[[], float],
        *,
        always: bool,
        in_parts: bool,
        now: datetime | None = None,
    ) -> list[Made]:
        made: list[Made] = []
        left: list[str] = []
        unread: dict[str, Exception] = {}
        is_begun = False
        for day in asked:
            inputs = self.store.inputs(day)
            made_of = digest(inputs)
            if not inputs or (not always and self.store.made_of(str(day)) == made_of):
                made.append(Made(day))
                continue
            if remaining() < _LEAST_SECONDS:
                left.append(str(day))
                continue
            try:
                plan, rows = self._planned(day, made_of, [one.key for one in inputs])
                if len(plan.parts) == 1:
                    if is_begun and remaining() < rows * _SECONDS_FOR_ROW + _LEAST_SECONDS:
                        left.append(str(day))
                        continue
                    is_begun = True
                    made.append(self._make(plan))
                elif in_parts or (now is not None and now < days.complete(day)):
                    made.append(Made(day, plan=plan, is_due=now is None or now >= days.complete(day)))
                else:
                    is_begun = True
                    if missing := self._missing(plan, remaining):
                        left.append(f"{day} ({missing} of its {len(plan.parts)} parts)")
                    else:
                        made.append(self.join(plan))
            except _UNREAD as error:
                unread[str(day)] = error
        if unread or left:
            raise _unfinished(unread, left, made)
        return made

    def _planned(self, day: date, made_of: str, keys: Iterable[str]) -> tuple[Plan, int]:
        """Return a day's plan, and how many rows the objects of its hours have."""
        with self._scratch() as folder, connected(folder, self._memory) as connection:
            hours = HourFiles(self.store, connection)
            groups = [group for key in keys for group in hours.described(key, folder / "hour.parquet")]
        last = round(days.span(day)[1].timestamp() * 1_000)
        return parts.planned(day, made_of, groups, last, self._most_rows), sum(group.rows for group in groups)

    def _make(self, plan: Plan) -> Made:
        (part,) = plan.parts
        with self._scratch() as folder:
            taken, made_of = self._updates(part, folder)
            with taken as updates, DayObjects(folder, self._memory) as objects:
                count = updates.count
                for line in self._lines(part, updates):
                    objects.add(line)
                updates.close()  # its memory is needed
                return self._put(plan, objects, count, {plan.made_of, made_of})

    def _missing(self, plan: Plan, remaining: Callable[[], float]) -> int:
        """Make as many parts as there is time for; return how many are left."""
        for made, part in enumerate(plan.parts):
            if self._there(part, plan.made_of) is None:
                if remaining() < _LEAST_FOR_PART:
                    return len(plan.parts) - made
                self._make_part(part)
        return 0

    def _updates(self, part: Part, folder: Path) -> tuple[Updates, str]:
        """Return the updates of a part, and the digest of what was read; whoever gets them closes them."""
        day = days.parsed(part.day)
        updates = Updates(folder, self._memory)
        read: list[Input] = []
        try:
            hours = HourFiles(self.store, updates.connection)
            for number, one in enumerate(self.store.inputs(day)):
                path = folder / f"{number}.parquet"
                fetched = hours.fetch(one.key, path, part.begin, part.end)
                if fetched is not None:
                    read.append(Input(one.key, fetched.tag))
                if fetched is not None and fetched.may_have:
                    updates.add(path, *days.span(day), part.begin, part.end)
                path.unlink(missing_ok=True)
        except BaseException:
            updates.close()
            raise
        return updates, digest(read)

    def _lines(self, part: Part, updates: Updates) -> Iterator[bytes]:
        day = days.parsed(part.day)
        for address, positions in updates.by_aircraft():
            found = days.of(day, flights(address, positions, self._airports, part.until))
            yield from map(row.encoded, sorted(found, key=lambda one: one.id))

    def _put(self, plan: Plan, objects: DayObjects, updates: int, made_of: Iterable[str]) -> Made:
        objects.write()
        self.store.put(plan.day, objects.book, objects.parquet, mixed(made_of))
        return Made(days.parsed(plan.day), updates, objects.count)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            yield Path(name)


def _unfinished(unread: Mapping[str, Exception], left: Sequence[str], made: Iterable[Made]) -> Exception:
    """Return the error of a run that did not make all of its days; of what could not be read it has the class."""
    said = [f"{day} is as it was: {error}" for day, error in unread.items()]
    said += [f"no time was left for {', '.join(left)}"] if left else []
    kind = type(next(iter(unread.values()))) if unread else UnfinishedError
    return kind(f"{'; '.join(said)}; made: {as_json(made)}. The same run goes on where it ended")
