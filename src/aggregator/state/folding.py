"""The fold of updates into what is known of a part's aircraft. The hot path: the loop that every update goes through.

It takes two to three microseconds an update, so each trick has its reason. `pipenv run bench --only window_single`
measures them; the plain fold, which gives the same result on any feed, is in the tests.

- *One loop for many updates.* It names everything it needs once; a call for each update, or for each reading, would
  cost more than the work in it. Hence its length, and the lint rules it is exempt from.
- *A row's head is read into locals and written back with one call each*, instead of forty accesses to fields. What only
  an aircraft's first updates and late ones change is in another row, which the others need not read.
- *The newest update's own numbers are written and never read*: an update that is not newer leaves them as they are.
- *`float.__round__` is what `round` looks up* for each of six numbers, making a bound method, at four times the cost.
- *An update newer than all of its aircraft's is no duplicate*: the keys are looked at only for the others.
  What is measured after the last one's `timestamp` is newer by the rule of `common.recency`, whatever clock that had.
- *A leg of two miles needs no look at the time*; `aggregator.state.track` judges whether a longer one can be flown.
- *Milliseconds while they are exact*, which halves the log; microseconds from the first key on that needs them.
- *Instants are places in the log*: one number to write instead of a timestamp and an ingestion time.
- *Extremes start beyond any reading, and missing readings are counted* rather than present ones: no first case to
  distinguish, and fewer writes.
- *Comparing before assigning*, instead of calling `min` and `max`.
- *Texts are compared as bytes or as codes.* An aircraft's names seldom change: they stay packed as they are carried,
  and one comparison tells. Squawks and collection types come and go: they are codes of the texts seen in the part.
- *The great circle is written out*, term by term as in `common.geodesy`, and skipped for aircraft that stand still.
"""

# ruff: noqa: PLR1730 - see "comparing before assigning"

from __future__ import annotations

from math import asin, cos, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

from aggregator import instants
from aggregator.state.keys import narrow_keys, wide_keys
from aggregator.state.layout import (
    AIRCRAFT_BYTES,
    DISTANCE_SCALE,
    KEY_BYTES,
    LEAST,
    NOT_SAID,
    POSITION_SCALE,
    READING_SCALE,
    ROW,
    ROW_HEAD,
    ROW_LATEST,
    SECOND_UPDATE_BYTES,
    TEXT_BYTES,
    pack_names,
    packed_bytes,
)
from aggregator.state.spots import Spot
from aggregator.state.track import take
from common.geodesy import DEGREE, DIAMETER_NM, HALF_DEGREE
from common.plausibility import NEAR_NM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aggregator.events.batch import Batch
    from aggregator.state.keys import Keys
    from aggregator.state.part_store import Columns
    from common.target_update import TargetUpdate


NEAR = int(NEAR_NM * DISTANCE_SCALE)
"""A leg up to which a position is the next one of its aircraft, without a look at the time."""


class Folded(NamedTuple):
    """What became of a batch: how many updates were taken from it and how many of these counted, and the room left."""

    taken: int
    counted: int
    room: int


def fold(columns: Columns, origin: datetime, batch: Batch, room: int) -> Folded:
    """Fold updates into the columns of a window that starts at `origin`, until they end or there is no room left.

    An update whose key was counted before changes nothing. Every other update takes as much of the room as it may have
    added to the packed state, in bytes; the fold ends with the update that takes more than there is.
    """
    start, taken, counted = instants.offset(instants.EPOCH, origin), 0, 0
    left = [batch] if batch.updates else []
    while left and room >= 0:
        batch = left.pop()
        keys = wide_keys(start, batch) if columns.is_wide else narrow_keys(start, batch)
        if keys is None:  # the log turns wide with the first key that needs it, and not with one before
            if len(batch.updates) > 1:
                left += [batch.between(at, at + 1) for at in reversed(range(len(batch.updates)))]
                continue
            columns.widen()
            keys = wide_keys(start, batch)
        folded = _fold(columns, batch.updates, keys, room)
        taken, counted, room = taken + folded.taken, counted + folded.counted, folded.room
    return Folded(taken, counted, room)


def _fold(  # noqa: C901, PLR0912, PLR0915 - see above
    columns: Columns, updates: Sequence[TargetUpdate], keys: Keys, room: int
) -> Folded:
    names, place_of, code_of, type_of = columns.names, columns.index.get, columns.codes.get, columns.types.get
    times, delays, previous = columns.log["times"], columns.log["delays"], columns.log["previous"]
    append_previous = previous.append
    rows, size, head, read = columns.rows, ROW.size, ROW_HEAD.size, ROW_HEAD.unpack_from
    write_head, write_latest = ROW_HEAD.pack_into, ROW_LATEST.pack_into
    rounded, reading_scale, position_scale = float.__round__, float(READING_SCALE), float(POSITION_SCALE)
    pack, order_of, airline_of = pack_names, columns.order, columns.airlines.get
    duplicates, begun = 0, len(times)
    key = begun - 1
    columns.append_keys(*keys[:2])  # of all, one call takes a quarter of a call each; duplicates are taken out again

    for update, time, delay, measured in zip(updates, *keys, strict=True):
        address = update.icao_address
        place = place_of(address)
        if place is None:
            place = columns.add_aircraft(address)
            room -= AIRCRAFT_BYTES + packed_bytes(address)
        at = place * size
        (
            squawk_seen,
            types_seen,
            newest_key,
            last,
            altitude_missing,
            altitude_total,
            altitude_least,
            altitude_greatest,
            speed_missing,
            speed_total,
            speed_least,
            speed_greatest,
            vertical_rate_missing,
            vertical_rate_total,
            vertical_rate_least,
            vertical_rate_greatest,
            last_position,
            last_latitude,
            last_longitude,
            distance,
        ) = read(rows, at)
        if newest_key < 0:
            key += 1
            append_previous(0)
            columns.begin(place, key)
            is_newest = True
        else:
            is_newest = measured > times[last]
            if not is_newest:
                if columns.has_key(place, newest_key, time, delay):
                    duplicates += 1
                    del times[key + 1], delays[key + 1]
                    continue
                this = order_of(key + 1)
                is_newest = this > order_of(last)
                if this < order_of(columns.first_seen(place)["first"]):
                    columns.begin(place, key + 1)
            key += 1
            if not previous[newest_key]:
                room -= SECOND_UPDATE_BYTES
            append_previous(key - newest_key)
        room -= KEY_BYTES

        value = update.altitude_baro
        if value is None:
            new_altitude = LEAST
            altitude_missing += 1
        else:
            new_altitude = rounded(value * reading_scale)
            altitude_total += new_altitude
            if new_altitude < altitude_least:
                altitude_least = new_altitude
            if new_altitude > altitude_greatest:
                altitude_greatest = new_altitude
        value = update.speed
        if value is None:
            new_speed = LEAST
            speed_missing += 1
        else:
            new_speed = rounded(value * reading_scale)
            speed_total += new_speed
            if new_speed < speed_least:
                speed_least = new_speed
            if new_speed > speed_greatest:
                speed_greatest = new_speed
        value = update.vertical_rate
        if value is None:
            new_rate = LEAST
            vertical_rate_missing += 1
        else:
            new_rate = rounded(value * reading_scale)
            vertical_rate_total += new_rate
            if new_rate < vertical_rate_least:
                vertical_rate_least = new_rate
            if new_rate > vertical_rate_greatest:
                vertical_rate_greatest = new_rate

        latitude, longitude = update.latitude, update.longitude
        if latitude is not None and longitude is not None:
            north, east = rounded(latitude * position_scale), rounded(longitude * position_scale)
            if not (north or east):  # `common.plausibility.is_nowhere`
                columns.count_implausible(place)
            elif last_position < 0:
                columns.begin_track(place, key, north, east)
                last_position, last_latitude, last_longitude = key, north, east
            elif is_newest or order_of(key) > order_of(last_position):
                if last_latitude == north and last_longitude == east:
                    last_position = key
                else:
                    to_degrees, from_degrees = north / position_scale, last_latitude / position_scale
                    to_north = sin((to_degrees - from_degrees) * HALF_DEGREE)
                    to_east = sin((east / position_scale - last_longitude / position_scale) * HALF_DEGREE)
                    half_chord_squared = to_north * to_north + (
                        cos(from_degrees * DEGREE) * cos(to_degrees * DEGREE) * to_east * to_east
                    )
                    half_chord = sqrt(half_chord_squared) if half_chord_squared < 1 else 1.0
                    leg = rounded(DIAMETER_NM * asin(half_chord) * DISTANCE_SCALE)
                    if leg <= NEAR:
                        distance += leg
                        last_position, last_latitude, last_longitude = key, north, east
                    else:
                        last_spot = Spot(last_position, last_latitude, last_longitude)
                        last_spot, leg, grown = take(columns, place, Spot(key, north, east), last_spot)
                        last_position, last_latitude, last_longitude = last_spot
                        distance += leg
                        room -= grown
            else:
                take(columns, place, Spot(key, north, east), Spot(last_position, last_latitude, last_longitude))

        airline = airline_of((update.airline_iata, update.airline_name))
        if airline is None:
            airline = columns.new_airline((update.airline_iata, update.airline_name))
            room -= 2 * TEXT_BYTES + packed_bytes(update.airline_iata or "") + packed_bytes(update.airline_name or "")
        packed = pack(
            (
                update.callsign,
                update.flight_number,
                update.tail_number,
                update.aircraft_type_icao,
                update.departure_airport_icao,
                update.arrival_airport_icao,
                airline,
            )
        )
        if packed != names[place]:
            room -= columns.name(place, packed, is_newest=is_newest)
        squawk = code_of(update.squawk)
        if squawk is None:
            squawk = columns.new_code(columns.codes, update.squawk)
            room -= TEXT_BYTES + packed_bytes(update.squawk or "")
        if squawk != squawk_seen and squawk:
            squawk_seen, grown = columns.see_squawk(place, squawk, squawk_seen)
            room -= grown
        collection_type = type_of(update.collection_type)
        if collection_type is None:
            collection_type = columns.new_code(columns.types, update.collection_type)
            room -= TEXT_BYTES + packed_bytes(update.collection_type or "")
        if not types_seen >> collection_type & 1:
            types_seen, grown = columns.see_type(place, collection_type, types_seen)
            room -= grown

        if is_newest:
            last, value, is_down = key, update.heading, update.on_ground
            write_latest(
                rows,
                at + head,
                new_altitude,
                new_speed,
                new_rate,
                LEAST if value is None else rounded(value * reading_scale),
                NOT_SAID if is_down is None else is_down,
                squawk,
                collection_type,
            )
        write_head(
            rows,
            at,
            squawk_seen,
            types_seen,
            key,
            last,
            altitude_missing,
            altitude_total,
            altitude_least,
            altitude_greatest,
            speed_missing,
            speed_total,
            speed_least,
            speed_greatest,
            vertical_rate_missing,
            vertical_rate_total,
            vertical_rate_least,
            vertical_rate_greatest,
            last_position,
            last_latitude,
            last_longitude,
            distance,
        )
        if room < 0:
            break
    del times[key + 1 :], delays[key + 1 :]
    counted = key + 1 - begun
    return Folded(counted + duplicates, counted, room)
