"""The fold of one update into a part's columns. The hot path: the one function that every update goes through.

It takes two to three microseconds, so each trick has its reason. `pipenv run bench --only window_single` measures
them, and the plain fold, to which this one is equal on any feed, stands in the tests.

- *One function, and a closure.* It names each column once an invocation; a method would look up some thirty for every
  update, and a function for each reading would cost a call. Hence its length, and the rules it is let off.
- *An update newer than all of its aircraft can be no repeat*: only for another one are the aircraft's keys looked at.
- *Milliseconds while they are exact*, which halves the log; microseconds from the first key on that needs them.
- *Instants are places in the log*: one number to write, where a timestamp and an ingestion time would be two.
- *Extremes start beyond any reading, and missing readings are counted*, not present ones: no first case, fewer writes.
- *Comparing before writing*, where `min` and `max` would call and write: an array's items are made anew at each access.
- *Texts are compared as bytes or as codes.* An aircraft's names seldom change: they stay packed as they are carried,
  and one comparison tells. Squawks and collection types come and go: they are codes of the texts seen in the part.
"""

# ruff: noqa: PLR1730 - see "comparing before writing"

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from aggregator import instants
from aggregator.columns import (
    AIRCRAFT_BYTES,
    DISTANCE_SCALE,
    GREATEST,
    KEY_BYTES,
    LEAST,
    NAMES,
    NO_DELAY,
    NOT_SAID,
    POSITION_SCALE,
    READING_SCALE,
    TEXT_BYTES,
    pack_names,
    packed_bytes,
)
from common.geodesy import great_circle_nm

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aggregator.columns import Columns
    from common.target_update import TargetUpdate

_names_of = attrgetter(*NAMES)


def folding(columns: Columns, origin: datetime) -> Callable[[TargetUpdate], int]:  # noqa: C901, PLR0915 - see above
    """Return the function that folds an update into the columns of a window that starts at `origin`.

    It returns 0 for an update of a key that was counted before, which changes nothing; else the bytes by which the
    packed state may have grown.
    """
    index, names, codes, types = columns.index, columns.names, columns.codes, columns.types
    times, delays, back = columns.log["times"], columns.log["delays"], columns.log["back"]
    of = columns.of
    newest_key, firsts, lasts = of["newest_key"], of["first"], of["last"]
    altitude_missing, altitude_total = of["altitude_missing"], of["altitude_total"]
    altitude_least, altitude_greatest = of["altitude_least"], of["altitude_greatest"]
    speed_missing, speed_total = of["speed_missing"], of["speed_total"]
    speed_least, speed_greatest = of["speed_least"], of["speed_greatest"]
    vertical_rate_missing, vertical_rate_total = of["vertical_rate_missing"], of["vertical_rate_total"]
    vertical_rate_least, vertical_rate_greatest = of["vertical_rate_least"], of["vertical_rate_greatest"]
    first_position, first_latitude, first_longitude = of["first_position"], of["first_latitude"], of["first_longitude"]
    last_position, last_latitude, last_longitude = of["last_position"], of["last_latitude"], of["last_longitude"]
    distance, late_positions = of["distance"], of["late_positions"]
    altitudes, speeds, vertical_rates, headings = of["altitude"], of["speed"], of["vertical_rate"], of["heading"]
    on_ground, squawks, collection_types = of["on_ground"], of["squawk"], of["collection_type"]
    squawk_seen, types_seen = of["squawk_seen"], of["types_seen"]

    is_wide = columns.is_wide

    def fold(update: TargetUpdate) -> int:  # noqa: C901, PLR0912, PLR0915 - see above
        nonlocal times, delays, is_wide
        timestamp, ingested = update.timestamp, update.ingestion_time
        since = timestamp - origin
        beyond = since.microseconds
        time = (since.days * 86_400 + since.seconds) * 1_000 + beyond // 1_000
        is_odd = beyond % 1_000
        if ingested is None:
            delay = LEAST
        else:
            since = ingested - timestamp
            beyond = since.microseconds
            delay = (since.days * 86_400 + since.seconds) * 1_000 + beyond // 1_000
            if beyond % 1_000 or not LEAST < delay < GREATEST:
                is_odd = True
        if is_wide or is_odd or not LEAST < time < GREATEST:
            if not is_wide:
                columns.widen()
                times, delays, is_wide = columns.log["times"], columns.log["delays"], True
            time = instants.offset(origin, timestamp)
            delay = NO_DELAY["q"] if ingested is None else instants.offset(timestamp, ingested)
        address = update.icao_address
        place = index.get(address)
        key = len(times)
        grown = KEY_BYTES
        if place is None:
            place = columns.add_aircraft(address)
            grown += AIRCRAFT_BYTES + packed_bytes(address)
            firsts[place] = key
            back.append(0)
            is_newest = True
        else:
            last = lasts[place]
            is_newest = time > times[last]
            if not is_newest:
                if columns.has_key(place, time, delay):
                    return 0
                is_newest = (time, delay) > (times[last], delays[last])
                first = firsts[place]
                if (time, delay) < (times[first], delays[first]):
                    firsts[place] = key
            back.append(key - newest_key[place])
        times.append(time)
        delays.append(delay)
        newest_key[place] = key

        value = update.altitude_baro
        if value is None:
            altitude = LEAST
            altitude_missing[place] += 1
        else:
            altitude = round(value * READING_SCALE)
            altitude_total[place] += altitude
            if altitude < altitude_least[place]:
                altitude_least[place] = altitude
            if altitude > altitude_greatest[place]:
                altitude_greatest[place] = altitude
        value = update.speed
        if value is None:
            speed = LEAST
            speed_missing[place] += 1
        else:
            speed = round(value * READING_SCALE)
            speed_total[place] += speed
            if speed < speed_least[place]:
                speed_least[place] = speed
            if speed > speed_greatest[place]:
                speed_greatest[place] = speed
        value = update.vertical_rate
        if value is None:
            vertical_rate = LEAST
            vertical_rate_missing[place] += 1
        else:
            vertical_rate = round(value * READING_SCALE)
            vertical_rate_total[place] += vertical_rate
            if vertical_rate < vertical_rate_least[place]:
                vertical_rate_least[place] = vertical_rate
            if vertical_rate > vertical_rate_greatest[place]:
                vertical_rate_greatest[place] = vertical_rate

        latitude, longitude = update.latitude, update.longitude
        if latitude is not None and longitude is not None:
            north, east = round(latitude * POSITION_SCALE), round(longitude * POSITION_SCALE)
            before = last_position[place]
            if before < 0:
                first_position[place], first_latitude[place], first_longitude[place] = key, north, east
                last_position[place], last_latitude[place], last_longitude[place] = key, north, east
            elif is_newest or (time, delay) > (times[before], delays[before]):
                leg = great_circle_nm(
                    last_latitude[place] / POSITION_SCALE,
                    last_longitude[place] / POSITION_SCALE,
                    north / POSITION_SCALE,
                    east / POSITION_SCALE,
                )
                distance[place] += round(leg * DISTANCE_SCALE)
                last_position[place], last_latitude[place], last_longitude[place] = key, north, east
            else:
                late_positions[place] += 1
                before = first_position[place]
                if (time, delay) < (times[before], delays[before]):
                    first_position[place], first_latitude[place], first_longitude[place] = key, north, east

        packed = pack_names(_names_of(update))
        if packed != names[place]:
            grown += columns.name(place, packed, is_newest=is_newest)
        text = update.squawk
        squawk = codes.get(text)
        if squawk is None:
            squawk = codes[text] = len(codes)
            grown += TEXT_BYTES + packed_bytes(text or "")
        if squawk and squawk != squawk_seen[place]:
            grown += columns.see_squawk(place, squawk)
        text = update.collection_type
        collection_type = types.get(text)
        if collection_type is None:
            collection_type = types[text] = len(types)
            grown += TEXT_BYTES + packed_bytes(text or "")
        if not types_seen[place] >> collection_type & 1:
            grown += columns.see_type(place, collection_type)

        if is_newest:
            lasts[place] = key
            altitudes[place] = altitude
            speeds[place] = speed
            vertical_rates[place] = vertical_rate
            value = update.heading
            headings[place] = LEAST if value is None else round(value * READING_SCALE)
            is_down = update.on_ground
            on_ground[place] = NOT_SAID if is_down is None else is_down
            squawks[place] = squawk
            collection_types[place] = collection_type
        return grown

    return fold
