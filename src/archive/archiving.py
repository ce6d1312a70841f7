"""One run: raw objects that are not in the archive yet are read, once each, and join the objects of their hours.

An object of the archive is the union of what it holds and what is added: no run has to know where the other updates of
an hour are, and a run that is repeated, late, or concurrent with another changes nothing that it should not. The ledger
of an arrival hour is written last: what it does not list is read again.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from archive.hours import archive_key, named
from archive.ledger import Entry
from archive.raw_object import DamagedObjectError, blocks
from archive.report import Report
from archive.staging import BrokenObjectError
from archive.store import ChangedError, NotAsListedError
from archive.update import decode_lines
from common.envelope import UnknownVersionError
from common.retries import again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from archive.ledger import Ledger
    from archive.staging import Staging
    from archive.store import Store
    from common.s3_listing import Listed

READING_SHARE: Final = 0.5
"""Of the time there is for reading raw objects; sorting and writing take less than the other half."""

_TRIES: Final = 5
"""Of a write that others are faster with."""

_CHUNK: Final = 64 * 1024
_REASON: Final = 200
"""Characters of a reason that a ledger keeps."""


class UnreadError(Exception):
    """Some raw objects could not be read; all others that the run found are in the archive."""


class Archiving:
    """Reads the raw objects of some arrival hours into the archive, with a folder for what is under way."""

    def __init__(self, store: Store, staging: Staging, folder: Path, most_updates: int) -> None:
        """`most_updates` is how many are sorted at once at the most, but for those of one raw object."""
        self._store = store
        self._staging = staging
        self._folder = folder
        self._most_updates = most_updates

    def run(
        self,
        arrivals: Sequence[datetime],
        remaining: Callable[[], float],
        report: Report,
        *,
        again: bool = False,
        after: str = "",
    ) -> None:
        """Read what these hours of arrival have unread, or everything `again`, while there is time.

        Parameters
        ----------
        arrivals
            Hours of arrival, in the order in which they are read.
        remaining
            Tells how many seconds are left.
        report
            Is given what was done. Of a run that raises it has what is in a ledger by then, which no later run reads.
        again
            Whether to read what a ledger says has been read.
        after
            Raw objects up to this key are skipped: an earlier run has read them, and reported so.

        Raises
        ------
        UnreadError
            After all else is done: a raw object could not be had as it was listed, or is written in a way this version
            cannot read.
            Where there was no time for all else, `Report.unread` alone says so.
        """
        waiting = [(arrival, raw) for arrival, raw in self._waiting(arrivals, again=again) if raw.key > after]
        whole, rounds = remaining(), 0
        while waiting and (not rounds or remaining() > whole / 2):
            rounds += 1
            until = remaining() * (1 - READING_SHARE)
            read: dict[datetime, tuple[dict[str, Entry], Report]] = {}
            while waiting and (not read or (remaining() > until and self._staging.count < self._most_updates)):
                arrival, raw = waiting.pop(0)
                entries, found = read.setdefault(arrival, ({}, Report()))
                entry = self._read(raw, found)
                report.read_up_to = raw.key
                if entry is not None:
                    entries[raw.key] = entry
            self._write_hours(report)
            for arrival, (entries, found) in read.items():
                self._write_ledger(arrival, entries)
                report.add_read(found)
            self._staging.clear()
        report.left = len(waiting)
        if report.unread and not report.left:
            first, reason = next(iter(report.unread.items()))
            raise UnreadError(
                f"{len(report.unread)} raw objects could not be read, the first of them {first}: {reason}. All others "
                f"that this run found are in the archive; these are tried again by the next run. {report.as_json()}"
            )

    def _waiting(self, arrivals: Sequence[datetime], *, again: bool) -> list[tuple[datetime, Listed]]:
        waiting = []
        for arrival in arrivals:
            listed = self._store.raw_objects(arrival)
            if listed and not again:
                listed = self._store.ledger(arrival)[0].unread(listed)
            waiting += [(arrival, raw) for raw in listed]
        return waiting

    def _read(self, raw: Listed, report: Report) -> Entry | None:
        """Take the updates of one object; return what the ledger keeps of it, None if it has to be read again."""
        path = self._folder / "raw"
        reasons: Counter[str] = Counter()
        ignored: Counter[str] = Counter()
        updates, damage = 0, ""

        def reject(_line: bytes, reason: str) -> None:
            reasons[next(iter(reasons), reason[:_REASON])] += 1  # the first one stands for all

        try:
            tag = self._store.download(raw, path)
            try:
                for lines in blocks(partial(_chunks, path), reject):
                    found = decode_lines(lines, self._staging.identities, reject, ignored)
                    self._staging.add(found)
                    updates += len(found.addresses)
            except DamagedObjectError as error:
                damage = report.damaged[raw.key] = str(error)
        except (ClientError, BotoCoreError, HTTPError, NotAsListedError, UnknownVersionError) as error:
            report.unread[raw.key] = str(error)
            return None
        finally:
            path.unlink(missing_ok=True)
        report.objects += 1
        report.updates += updates
        report.rejected += reasons.total()
        report.fields_ignored += ignored.total()
        return Entry(tag, updates, reasons.total(), next(iter(reasons), ""), damage)

    def _write_hours(self, report: Report) -> None:
        for hour in self._staging.hours():
            _with_changes(partial(self._write_hour, hour, report), named([hour])[0])

    def _write_hour(self, hour: int, report: Report) -> None:
        """Write one hour's object, on condition that it is still the one that was read.

        Raises
        ------
        ChangedError
            It is not.
        BrokenObjectError
            It is not a raw object.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            before, after = Path(folder, "before.parquet"), Path(folder, "after.parquet")
            tag = self._store.download_archived(hour, before)
            try:
                rows = self._staging.write(hour, after, None if tag is None else before)
            except BrokenObjectError as error:
                raise BrokenObjectError(
                    f"{archive_key(hour)}: no Parquet object with the archive's columns ({error}). Delete it, and run "
                    "the hours again whose raw updates it held"
                ) from error
            if tag is not None and filecmp.cmp(before, after, shallow=False):
                if hour not in report.rows:
                    report.unchanged.add(hour)
                return
            self._store.put_archived(hour, after, tag)
        report.unchanged.discard(hour)
        report.rows[hour] = rows

    def _write_ledger(self, arrival: datetime, entries: dict[str, Entry]) -> None:
        def write() -> None:
            ledger, tag = self._store.ledger(arrival)
            joined: Ledger = ledger.joined(entries)
            if tag is None or joined != ledger:
                self._store.put_ledger(arrival, joined, tag)

        if entries:
            _with_changes(write, f"the ledger of {arrival:%Y-%m-%dT%H}")


def _with_changes(write: Callable[[], None], what: str) -> None:
    """Write what others may be writing as well."""
    try:
        again(write, (ChangedError,), _TRIES)
    except ChangedError as error:
        raise ChangedError(f"{what}: written by others {_TRIES} times in a row; run it again") from error


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
