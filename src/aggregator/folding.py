"""The fold of updates into what is known of a part's aircraft. The hot path: the loop that every update goes through.

It takes two to three microseconds an update, so each trick has its reason. `pipenv run bench --only window_single`
measures them, and the plain fold, to which this one is equal on any feed, stands in the tests.

- *One loop for many updates.* It names all it needs once; a call for each update, or for each reading, would cost more
  than the work in it. Hence its length, and the rules it is let off.
- *A row is read into locals and written back whole*: three calls, where an access for each field would be forty.
- *`float.__round__` is what `round` looks up* for each of six numbers, and makes a method of, at four times the cost.
- *An update newer than all of its aircraft can be no repeat*: only for another one are the aircraft's keys looked at.
- *Milliseconds while they are exact*, which halves the log; microseconds from the first key on that needs them.
- *Instants are places in the log*: one number to write, where a timestamp and an ingestion time would be two.
- *Extremes start beyond any reading, and missing readings are counted*, not present ones: no first case, fewer writes.
- *Comparing before assigning*, where `min` and `max` would be called.
- *Texts are compared as bytes or as codes.* An aircraft's names seldom change: they stay packed as they are carried,
  and one comparison tells. Squawks and collection types come and go: they are codes of the texts seen in the part.
- *The great circle is written out*, term by term as in `common.geodesy`, and not for who stands still.
"""

# ruff: noqa: PLR1730 - see "comparing before assigning"

from __future__ import annotations

from math import asin, cos, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

from aggregator import instants
from aggregator.columns import (
    AIRCRAFT_BYTES,
    DISTANCE_SCALE,
    FIRST_HALF,
    GREATEST,
    KEY_BYTES,
    LEAST,
    NO_DELAY,
    NOT_SAID,
    POSITION_SCALE,
    READING_SCALE,
    ROW,
    SECOND_HALF,
    SECOND_UPDATE_BYTES,
    TEXT_BYTES,
    pack_names,
    packed_bytes,
)
from common.geodesy import DEGREE, DIAMETER_NM, HALF_DEGREE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aggregator.columns import Columns
    from common.target_update import TargetUpdate


class Folded(NamedTuple):
    """What became of some updates: how many were counted and how many were repeats, and the room that is left."""

    counted: int
    repeats: int
    room: int


def fold(  # noqa: C901, PLR0912, PLR0915 - see above
    columns: Columns, origin: datetime, updates: Iterator[TargetUpdate], room: int
) -> Folded:
    """Fold updates into the columns of a window that starts at `origin`, until they end or there is no room left.

    An update of a key that was counted before changes nothing. Each other one takes as much of the room as the packed
    state may have grown by, in bytes; with the one that takes more than there is, the fold ends.
    """
    index, names, codes, types = columns.index, columns.names, columns.codes, columns.types
    times, delays, back = columns.log["times"], columns.log["delays"], columns.log["back"]
    rows, read, size, half = columns.rows, ROW.unpack_from, ROW.size, FIRST_HALF.size
    write_first, write_second = FIRST_HALF.pack_into, SECOND_HALF.pack_into
    rounded, reading_scale, position_scale = float.__round__, float(READING_SCALE), float(POSITION_SCALE)
    pack, no_delay = pack_names, NO_DELAY["q"]
    is_wide = columns.is_wide
    repeats, begun = 0, len(times)
    key = begun - 1

    for update in updates:
        timestamp, ingested = update.timestamp, update.ingestion_time
        since = timestamp - origin
        beyond = since.microseconds
        time = (since.days * 86_400 + since.seconds) * 1_000
        is_odd = 0
        if beyond:
            time += beyond // 1_000
            is_odd = beyond % 1_000
        if ingested is None:
            delay = LEAST
        else:
            since = ingested - timestamp
            beyond = since.microseconds
            delay = (since.days * 86_400 + since.seconds) * 1_000 + beyond // 1_000
            if beyond % 1_000 or not LEAST < delay < GREATEST:
                is_odd = 1
        if is_wide or is_odd or not LEAST < time < GREATEST:
            if not is_wide:
                columns.widen()
                times, delays, is_wide = columns.log["times"], columns.log["delays"], True
            time = instants.offset(origin, timestamp)
            delay = no_delay if ingested is None else instants.offset(timestamp, ingested)

        address = update.icao_address
        known = index.get(address)
        if known is None:
            place = columns.add_aircraft(address)
            room -= AIRCRAFT_BYTES + packed_bytes(address)
        else:
            place = known
        (
            newest_key,
            first,
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
            first_position,
            first_latitude,
            first_longitude,
            last_position,
            last_latitude,
            last_longitude,
            distance,
            late_positions,
            altitude,
            speed,
            vertical_rate,
            heading,
            on_ground,
            squawk,
            collection_type,
            squawk_seen,
            types_seen,
        ) = read(rows, place * size)
        if known is None:
            key += 1
            first = key
            back.append(0)
            is_newest = True
        else:
            is_newest = time > times[last]
            if not is_newest:
                if columns.has_key(place, newest_key, time, delay):
                    repeats += 1
                    continue
                is_newest = (time, delay) > (times[last], delays[last])
                if (time, delay) < (times[first], delays[first]):
                    first = key + 1
            key += 1
            if not back[newest_key]:
                room -= SECOND_UPDATE_BYTES
            back.append(key - newest_key)
        room -= KEY_BYTES
        times.append(time)
        delays.append(delay)

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
            if last_position < 0:
                first_position, first_latitude, first_longitude = key, north, east
                last_position, last_latitude, last_longitude = key, north, east
            elif is_newest or (time, delay) > (times[last_position], delays[last_position]):
                last_position = key
                if last_latitude != north or last_longitude != east:
                    to_degrees, from_degrees = north / POSITION_SCALE, last_latitude / POSITION_SCALE
                    to_north = sin((to_degrees - from_degrees) * HALF_DEGREE)
                    to_east = sin((east / POSITION_SCALE - last_longitude / POSITION_SCALE) * HALF_DEGREE)
                    half_chord_squared = to_north * to_north + (
                        cos(from_degrees * DEGREE) * cos(to_degrees * DEGREE) * to_east * to_east
                    )
                    half_chord = sqrt(half_chord_squared) if half_chord_squared < 1 else 1.0
                    distance += rounded(DIAMETER_NM * asin(half_chord) * DISTANCE_SCALE)
                    last_latitude, last_longitude = north, east
            else:
                late_positions += 1
                if (time, delay) < (times[first_position], delays[first_position]):
                    first_position, first_latitude, first_longitude = key, north, east

        packed = pack(
            (
                update.callsign,
                update.flight_number,
                update.tail_number,
                update.aircraft_type_icao,
                update.departure_airport_icao,
                update.arrival_airport_icao,
            )
        )
        if packed != names[place]:
            room -= columns.name(place, packed, is_newest=is_newest)
        text = update.squawk
        if text in codes:
            new_squawk = codes[text]
        else:
            new_squawk = codes[text] = len(codes)
            room -= TEXT_BYTES + packed_bytes(text or "")
        if new_squawk and new_squawk != squawk_seen:
            squawk_seen, grown = columns.see_squawk(place, new_squawk, squawk_seen)
            room -= grown
        text = update.collection_type
        if text in types:
            new_type = types[text]
        else:
            new_type = types[text] = len(types)
            room -= TEXT_BYTES + packed_bytes(text or "")
        if not types_seen >> new_type & 1:
            types_seen, grown = columns.see_type(place, new_type, types_seen)
            room -= grown

        if is_newest:
            last, altitude, speed, vertical_rate, squawk, collection_type = (
                key,
                new_altitude,
                new_speed,
                new_rate,
                new_squawk,
                new_type,
            )
            value = update.heading
            heading = LEAST if value is None else rounded(value * reading_scale)
            is_down = update.on_ground
            on_ground = NOT_SAID if is_down is None else is_down
        write_first(
            rows,
            place * size,
            key,
            first,
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
        )
        write_second(
            rows,
            place * size + half,
            first_position,
            first_latitude,
            first_longitude,
            last_position,
            last_latitude,
            last_longitude,
            distance,
            late_positions,
            altitude,
            speed,
            vertical_rate,
            heading,
            on_ground,
            squawk,
            collection_type,
            squawk_seen,
            types_seen,
        )
        if room < 0:
            break
    return Folded(len(times) - begun, repeats, room)
