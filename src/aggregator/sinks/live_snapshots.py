"""The live objects in S3: the latest state of every aircraft of the window, written again with every invocation.

A failed write fails no window: it is counted, and the next invocation writes everything. A closed part is kept
until it is in S3, and nothing replaces it in the open window before that, so that no reader goes back: an environment
that finds another one's part there, and no closed copy, leaves one (`closed_copy`). Writes are conditional, so that a
retried invocation never puts an older snapshot in the place of a newer one (`live.order`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aggregator import instants
from aggregator.sinks import closed_copy, live_columns
from aggregator.sinks.ordered_object import OrderedObject, put_once
from aggregator.sinks.shard_list import TRIES, ContendedError, ShardList
from live import identity_writer, objects, writer
from live.container import Header, read_header
from live.layout import POSITIONS
from live.order import END_OF_WINDOW, Order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_s3 import S3Client

    from aggregator.state.window_part import WindowPart
    from common.kinesis_event import TumblingWindow

IDENTITY_SECONDS = 20.0
"""How often the identities of an open window are looked at: they change seldom, and cost more than the positions."""

_MOST_OWED = 8
"""Closed parts that are kept while S3 refuses them, some 200 KB each: beyond it the oldest is given up."""


@dataclass(slots=True)
class _Shard:
    """One shard's objects as this process knows them."""

    positions: OrderedObject
    """Of the open window."""
    identities: OrderedObject
    version: str | None = None
    """Of the identities in S3; None: they have to be compared with the current ones."""
    identity_at: float = 0.0
    shown: tuple[int, int, int] | None = None
    """What the open window's object holds, if this process wrote it: window, part, and its number of updates."""
    reached: tuple[int, int] = (0, 0)
    """The last part that was known by its number: window, number."""
    closed: tuple[int, int] | None = None
    """The last part whose closed copy is known to be in S3: window, number."""
    owed: dict[str, _Closed] = field(default_factory=dict)
    """Closed parts that are not in S3 yet, by key."""

    @property
    def order(self) -> Order | None:
        """Of the open window's positions."""
        return self.positions.order

    def look(self) -> None:
        """Look up what is in S3, unless it is known."""
        if not (self.positions.is_known and self.identities.is_known):
            self.version = self.shown = None
        self.positions.look()
        self.identities.look()


@dataclass(frozen=True, slots=True)
class _Closed:
    """A part that nothing is added to any more, as it is to be written."""

    order: Order
    positions: bytes
    identities: bytes
    left_out: int
    """Aircraft that the positions leave out (`Header.left_out`)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What an invocation leaves: the parts that it closed, by number, and the current part with its number.

    `number` is None where it is known only that it is at least the part's own: in an invocation that wrote no rows.
    """

    closed: Sequence[tuple[int, WindowPart]]
    part: WindowPart
    number: int | None
    sequence: str | None
    """The last record's; None in an invocation without records."""


class LiveSnapshots:
    """Writes the live objects of a shard.

    Parameters
    ----------
    client
        For S3; its retries and time-outs bound what a snapshot may cost an invocation.
    bucket
        Where `live/` is.
    clock
        Seconds since the epoch.
    """

    def __init__(self, client: S3Client, bucket: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock
        self._shard_list = ShardList(client, bucket)
        self._shards: dict[str, _Shard] = {}

    def write(self, window: TumblingWindow, progress: Progress) -> int:
        """Write the closed parts and the open one; return how many aircraft the closed ones that it wrote leave out.

        Raises
        ------
        Exception
            Something could not be written; each object that was written is complete.
        """
        shard = self._shard(window.shard_id)
        self._shard_list.meet(window)
        if window.is_final and not progress.closed:
            shard.positions.is_known = False  # how many parts the window had is known by what is there alone
        try:
            shard.look()
        finally:  # what has closed is owed even if S3 does not answer
            last = self._note(window, shard, progress)
        if window.is_final and not shard.owed:
            return 0  # an empty window
        left_out = self._pay(shard, but=last)
        # The window's last part is the open one, too: as long as that is there, nothing of it is missing.
        try:
            self._put_open(window, shard, progress)
        finally:
            left_out += self._pay(shard)
        self._shard_list.add(window)
        return left_out

    def _shard(self, shard_id: str) -> _Shard:
        if shard_id not in self._shards:
            key = objects.open_window(shard_id)
            self._shards[shard_id] = _Shard(
                OrderedObject(self._client, self._bucket, key),
                OrderedObject(self._client, self._bucket, key + objects.IDENTITY),
            )
        return self._shards[shard_id]

    def _note(self, window: TumblingWindow, shard: _Shard, progress: Progress) -> str | None:
        """Take note of what has closed; return the key of the window's last part, if that is among it."""
        last = None
        start, end = _milliseconds(window.start), _milliseconds(window.end)
        sequence = self._sequence(window, shard, progress)
        closed = progress.closed
        if window.is_final and not closed and (number := self._number(shard, start, progress)):
            closed = [(number, progress.part)]  # it is empty: without it, nothing leads to the parts before it
        for number, part in closed:
            is_last = window.is_final and part is progress.part
            key = objects.closed_window(window.shard_id, end, None if is_last else number)
            shard.owed[key] = self._closed(window, part, Order(start, number, sequence))
            last = key if is_last else last
        if progress.number is not None:
            shard.reached = max(shard.reached, (start, progress.number))
        while len(shard.owed) > _MOST_OWED:
            del shard.owed[next(iter(shard.owed))]
        return last

    def _put_open(self, window: TumblingWindow, shard: _Shard, progress: Progress) -> None:
        """Write the current part, unless what is there is as new."""
        start = _milliseconds(window.start)
        sequence = self._sequence(window, shard, progress)
        for _ in range(TRIES):
            shard.look()
            order = Order(start, self._number(shard, start, progress), sequence)
            shown = start, order.part, progress.part.updates
            if not shard.positions.is_before(order) or (window.is_final and shard.shown == shown):
                return
            self._keep_what_is_replaced(window, shard, order)
            aircraft, states = live_columns.columns(progress.part)
            if self._is_due(shard, window):
                names = live_columns.identities(states)
                version = identity_writer.version(states.icao_addresses, names)
                if version != shard.version and shard.identities.is_before(order):
                    header = self._header(window, order, identity=version)
                    if not shard.identities.replace(identity_writer.write(aircraft, names, header), order):
                        continue  # another has written it: look what there is
                shard.version, shard.identity_at = version, self._clock()
            body = writer.write(aircraft, self._header(window, order, identity=shard.version))
            if shard.positions.replace(body, order):
                shard.shown = shown
                return
        raise ContendedError(f"{shard.positions.key}: written by others {TRIES} times in a row")

    def _keep_what_is_replaced(self, window: TumblingWindow, shard: _Shard, order: Order) -> None:
        before = shard.order
        if before is None or before[:2] in (order[:2], shard.closed):
            return
        is_last = before.window_start != order.window_start
        end = before.window_start + _milliseconds(window.end) - order.window_start
        if closed_copy.leave(self._client, self._bucket, window.shard_id, before, window_end=end, is_last=is_last):
            shard.closed = before[:2]

    @staticmethod
    def _sequence(window: TumblingWindow, shard: _Shard, progress: Progress) -> int:
        """Return the sequence number that a snapshot reaches.

        The end of a window mostly comes without records, and in an environment that may not have seen the last ones.
        """
        if window.is_final:
            return END_OF_WINDOW
        if progress.sequence is not None:
            return int(progress.sequence)
        return (
            shard.order.sequence
            if shard.order is not None and shard.order.window_start == _milliseconds(window.start)
            else 0
        )

    @staticmethod
    def _number(shard: _Shard, start: int, progress: Progress) -> int:
        """Return the number of the current part.

        After a window that Lambda ended early its parts count from 0 again; what was written then says how far it was,
        or was to be written.
        """
        if progress.number is not None:
            return progress.number
        written = (0, 0) if shard.order is None else (shard.order.window_start, shard.order.part)
        return max([progress.part.number, *(part for window, part in (written, shard.reached) if window == start)])

    def _is_due(self, shard: _Shard, window: TumblingWindow) -> bool:
        started = shard.order is not None and shard.order.window_start == _milliseconds(window.start)
        return (
            shard.version is None
            or not started
            or window.is_final
            or self._clock() - shard.identity_at >= IDENTITY_SECONDS
        )

    def _closed(self, window: TumblingWindow, part: WindowPart, order: Order) -> _Closed:
        aircraft, states = live_columns.columns(part)
        names = live_columns.identities(states)
        version = identity_writer.version(states.icao_addresses, names)
        header = self._header(window, order, identity=version, closed=True)
        positions = writer.write(aircraft, header)
        left_out = read_header(positions, POSITIONS)[0].left_out
        return _Closed(order, positions, identity_writer.write(aircraft, names, header), left_out)

    def _pay(self, shard: _Shard, but: str | None = None) -> int:
        """Write the closed parts, the oldest first; return how many aircraft they leave out.

        A retry has the same records: it writes the same again.
        """
        left_out = 0
        for key, closed in [one for one in shard.owed.items() if one[0] != but]:
            put_once(self._client, self._bucket, key + objects.IDENTITY, closed.identities, closed.order)
            put_once(self._client, self._bucket, key, closed.positions, closed.order)
            shard.closed = closed.order[:2]
            left_out += closed.left_out
            del shard.owed[key]
        return left_out

    def _header(self, window: TumblingWindow, order: Order, *, identity: str | None, closed: bool = False) -> Header:
        return Header(
            shard=window.shard_id,
            window_start=order.window_start,
            window_end=_milliseconds(window.end),
            part=order.part,
            sequence=str(order.sequence),
            closed=closed,
            written_at=round(self._clock() * 1_000),
            identity=identity,
            blocks=(),
        )


def _milliseconds(text: str) -> int:
    """Return a window's edge as Lambda writes it in milliseconds since the epoch."""
    return round(instants.parse(text).timestamp() * 1_000)
