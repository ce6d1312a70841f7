"""Computes windows again from the archive, where rows were lost or a window was split badly.

Each window of the span is folded by the aggregator's own code, over all shards, and its rows take the place of those
that are there: the view `windows` ignores the older ones. They say `rebuilt_by` and `rebuilt_at`. An aircraft's
rows are in the shard that counted it in the windows around; which one that was does not change what rows add up to.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from tools.operations.unarchived import unarchived
from tools.query import database, places, span
from tools.query.errors import QueryError

from aggregator.events import batch  # isort: skip - tools.query has `src` found
from aggregator.sinks import row_schema  # isort: skip
from aggregator.state.splitting import PartFolder  # isort: skip
from aggregator.state.window_part import WindowPart  # isort: skip
from common.clock import rfc3339  # isort: skip
from common.target_update import TargetUpdate  # isort: skip
from local.command import run_command
from local.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.query.places import Place
    from tools.query.span import Span

_MOMENTS: Final = {"arrival": 'coalesce(ingestion_time, "timestamp")', "event_time": '"timestamp"'}
_DAY: Final = timedelta(days=1)
"""How much later than it was measured an update may have been ingested, and still be found by its event time."""

_FIELDS: Final = TargetUpdate.__struct_fields__
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone, as in the archive
_FIRST_SHARD: Final = "shardId-000000000000"
_ROWS: Final = 10_000
_LONGEST_WINDOW: Final = 900
"""Seconds of a tumbling window (Lambda's developer guide)."""

_LEAST_SHARE: Final = 0.9
"""Of a window's updates that the archive has to have: it goes by ingestion, rows by Kinesis, which is seconds later."""

_EARLIEST, _LATEST = datetime(1970, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - as `_EPOCH`
"""Days before and after a span are looked at as well, and have to be days."""


@dataclass(frozen=True, slots=True)
class Window:
    """One window computed again: `objects` are its rows by key, `before` and `updates` how many they count."""

    start: datetime
    before: int
    updates: int
    objects: dict[str, bytes]


def rebuild(place: Place, asked: Span, by: str, length: timedelta, at: datetime) -> Iterator[Window]:
    """Yield the windows of a span that have updates.

    Parameters
    ----------
    by
        `arrival`, for which the ingestion time is taken, or `event_time`.
    length
        Of a window; windows begin at its multiples, as Lambda's do.
    at
        What the rows have as `rebuilt_at`.

    Raises
    ------
    QueryError
        The span has no bounds, or one of them is within a window.
    """
    if asked.begin is None or asked.end is None:
        raise QueryError("which windows? expected --from and --to")
    for bound in (asked.begin, asked.end):
        if not _EARLIEST < bound < _LATEST:
            raise QueryError(f"{bound}: nothing is of that time; expected one of the years 1970 to 9997")
        if _start(bound, length) != bound:
            raise QueryError(f"{bound}: within a window of {length.total_seconds():g} s; expected an edge of one")
    before = _Before(place, asked)
    updates = ((_start(moment, length), update) for moment, update in _updates(place, asked, by))
    for start, group in groupby(updates, key=itemgetter(0)):
        by_shard: dict[str, list[TargetUpdate]] = defaultdict(list)
        for _, update in group:
            by_shard[before.shards.get(update.icao_address, _FIRST_SHARD)].append(update)
        end = start + length
        lines = [
            line for shard in sorted(by_shard) for line in _rows(by_shard[shard], start.replace(tzinfo=UTC), end, shard)
        ]
        said = f',"rebuilt_by":"{by}","rebuilt_at":"{rfc3339(at)}"}}\n'.encode()
        name = f"rebuilt-{start:%Y%m%dT%H%M%SZ}.ndjson.gz"
        objects = {f"windows/{end:date=%Y-%m-%d/hour=%H}/{name}": _packed(line[:-2] + said for line in lines)}
        # Rows of before that lie in another day's folder: there, too, something has to say that they are replaced.
        mark = f'{{"kind":"replaced","window_start":"{rfc3339(start.replace(tzinfo=UTC))}"'.encode()
        for day in sorted(before.days[start] - {f"{end:%Y-%m-%d}"}):
            objects[f"windows/date={day}/hour=00/{name}"] = _packed([mark + said])
        yield Window(start, before.updates.get(start, 0), sum(map(len, by_shard.values())), objects)


def _start(moment: datetime, length: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % length


def _rows(updates: list[TargetUpdate], start: datetime, end: datetime, shard: str) -> Iterator[bytes]:
    folder = PartFolder(WindowPart(start))
    folder.add_all(batch.of(updates))
    for part in (*folder.full_parts, folder.part):
        name = row_schema.PartName(rfc3339(start), rfc3339(end.replace(tzinfo=UTC)), shard, part.number)
        yield from row_schema.rows(part, name)


def _packed(lines: Iterator[bytes] | list[bytes]) -> bytes:
    return gzip.compress(b"".join(lines), mtime=0)


def _updates(place: Place, asked: Span, by: str) -> Iterator[tuple[datetime, TargetUpdate]]:
    """Yield the archive's updates of a span, each with its moment, in the order of these."""
    moment = _MOMENTS[by]
    sql = (
        f"SELECT {moment}, {', '.join(f'"{name}"' for name in _FIELDS)} FROM updates "  # noqa: S608 - of schemas alone
        f"WHERE {moment} >= TIMESTAMP '{asked.begin}' AND {moment} < TIMESTAMP '{asked.end}' "
        'ORDER BY 1, icao_address, "timestamp"'
    )
    days = _days(asked)
    with database.opened(place, sql, days) as data:
        answer = data.ask(sql, days)
        while rows := answer.fetchmany(_ROWS):
            for when, *values in rows:
                named = dict(zip(_FIELDS, values, strict=True))
                for name in ("timestamp", "ingestion_time"):
                    named[name] = named[name] and named[name].replace(tzinfo=UTC)
                yield when, TargetUpdate(**named)


class _Before:
    """What the rows say now: each window's updates and the days its rows lie in, and each aircraft's shard."""

    def __init__(self, place: Place, asked: Span) -> None:
        self.updates: dict[datetime, int] = defaultdict(int)
        self.days: dict[datetime, set[str]] = defaultdict(set)
        self.shards: dict[str, str] = {}
        sql = 'SELECT kind, window_start, shard_id, icao_address, updates, "date" FROM windows ORDER BY window_start'
        days = _days(asked)
        with database.opened(place, sql, days) as data:
            answer = data.ask(sql, days)
            while rows := answer.fetchmany(_ROWS):
                for kind, start, shard, address, updates, day in rows:
                    moment = datetime.fromisoformat(start).replace(tzinfo=None)
                    if kind == "aircraft":
                        self.shards[address] = shard
                    else:
                        self.updates[moment] += updates
                    self.days[moment].add(day)


def _days(asked: Span) -> Span:
    """Return the whole days of a span, the ones before and after it included."""
    assert asked.begin is not None
    assert asked.end is not None
    return span.Span(_start(asked.begin, _DAY) - _DAY, _start(asked.end, _DAY) + 2 * _DAY)


def main(arguments: list[str] | None = None) -> int:
    """Rebuild as the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    length, at = timedelta(seconds=options.window_seconds), datetime.now(UTC).replace(microsecond=0)
    count = 0
    kept: list[datetime] = []
    try:
        place = places.place(options.on)
        asked = span.parse(options.begin, options.end)
        windows = rebuild(place, asked, options.by, length, at)
        for window in windows:
            if not count and options.confirm and (lacking := unarchived(place, asked)):
                return _tell(
                    f"the archive lacks raw objects that arrived in {', '.join(lacking)}; nothing was rebuilt. Archive "
                    "these hours first (docs/operations/archive-behind.md), or wait until the schedule has"
                )
            count += 1
            print(f"{window.start:%Y-%m-%dT%H:%M:%SZ}  {window.before:>9,} updates before, {window.updates:>9,} now")  # noqa: T201 - a command line talks
            if options.by == "arrival" and window.updates < _LEAST_SHARE * window.before and not options.fewer:
                kept.append(window.start)
            elif options.confirm:
                for key, content in window.objects.items():
                    place.write(key, content)
    except QueryError as error:
        return _tell(str(error))
    except (OSError, duckdb.Error) as error:
        return _tell(f"{options.on}: {error}")
    except (BotoCoreError, ClientError) as error:
        return _tell(f"AWS: {error}. Region and credentials are by its usual settings (AWS_REGION, AWS_PROFILE)")
    return _ended(options, count, kept)


def _ended(options: argparse.Namespace, count: int, kept: list[datetime]) -> int:
    """Say what became of so many windows, of which some were kept; return the exit code."""
    if not count:
        return _tell(
            f"{options.on}: the archive has no updates from {options.begin} to {options.end} by {options.by}; nothing "
            "to rebuild. `pipenv run query busiest` says which times it has"
        )
    done = count - len(kept)
    is_done = f"{'is' if done == 1 else 'are'} rebuilt"
    print(f"{counted(done, 'window')} {is_done if options.confirm else 'would be rebuilt; --confirm does it'}")  # noqa: T201 - a command line talks
    if kept:
        return _tell(
            f"{counted(len(kept), 'window')} not rebuilt, the first of them {kept[0]:%Y-%m-%dT%H:%M:%SZ}: the archive "
            "has less than nine tenths of what the rows count. Damaged raw objects may be why, or updates that were "
            "counted twice: --fewer rebuilds these as well"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.operations.rebuild", description=__doc__)
    parser.add_argument("--on", required=True, metavar="PLACE", help="s3://BUCKET (DataBucketName), or a folder")
    parser.add_argument("--from", dest="begin", required=True, metavar="TIME", help="the first window's start, UTC")
    parser.add_argument("--to", dest="end", required=True, metavar="TIME", help="the last window's end, UTC")
    parser.add_argument(
        "--by",
        choices=tuple(_MOMENTS),
        default="arrival",
        help="what puts an update into a window: its ingestion time, or its timestamp (default: %(default)s)",
    )
    parser.add_argument(
        "--window-seconds", type=_window_seconds, default=60, help="the stack's WindowSeconds (default: 60)"
    )
    parser.add_argument(
        "--fewer", action="store_true", help="also windows of which the archive has less than nine tenths"
    )
    parser.add_argument("--confirm", action="store_true", help="do it; without this it only says what it would do")
    return parser


def _window_seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 0 < int(text) <= _LONGEST_WINDOW):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"got {text!r}; expected whole seconds from 1 to {_LONGEST_WINDOW}")
    return int(text)


def _tell(text: str) -> int:
    print(f"rebuild: {text}", file=sys.stderr)  # noqa: T201 - a command line talks
    return 1


if __name__ == "__main__":
    run_command("rebuild", main)
