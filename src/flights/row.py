"""A flight as a row of its day's objects: JSON with the columns of `flights.schema`; what is not known is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from flights.flight import Flight
    from flights.position import Position

_encode = msgspec.json.Encoder().encode


_TRACK: Final = b',"track":['


class Named(msgspec.Struct):
    """By what a flight is found."""

    id: str
    departure_airport_icao: str | None = None
    arrival_airport_icao: str | None = None


_decode_named = msgspec.json.Decoder(Named).decode


def encoded(flight: Flight) -> bytes:
    """Return a flight as JSON, with its track as the last field."""
    values = {name: value for name, value in _summary(flight).items() if value is not None}
    return _encode({**values, "track": [_waypoint(one) for one in flight.track]})


def summarized(line: bytes) -> tuple[bytes, Named]:
    """Return an encoded flight without its track, and by what it is found."""
    summary = line[: line.rindex(_TRACK)] + b"}"  # no text is in a track but times
    return summary, _decode_named(summary)


def _summary(flight: Flight) -> dict[str, Any]:
    takeoff, landing = flight.takeoff, flight.landing
    return {
        "id": flight.id,
        "icao_address": flight.icao_address,
        "flight_id": flight.flight_id,
        "callsign": flight.callsign,
        "flight_number": flight.flight_number,
        "tail_number": flight.tail_number,
        "aircraft_type_icao": flight.aircraft_type_icao,
        "airline_iata": flight.airline_iata,
        "departure_airport_icao": takeoff.airport,
        "departure_known_by": takeoff.airport_known_by,
        "takeoff_time": _time(takeoff.time),
        "takeoff_known_by": takeoff.known_by,
        "arrival_airport_icao": landing.airport,
        "arrival_known_by": landing.airport_known_by,
        "landing_time": _time(landing.time),
        "landing_known_by": landing.known_by,
        "first_time": _time(flight.first_time),
        "last_time": _time(flight.last_time),
        "distance_nm": flight.distance_nm,
        "great_circle_nm": flight.great_circle_nm,
        "highest_altitude": flight.highest_altitude,
        "highest_speed": flight.highest_speed,
        "positions": flight.positions,
        "positions_left_out": flight.positions_left_out,
        "gaps": flight.gaps,
        "longest_gap_seconds": flight.longest_gap_seconds,
    }


def _waypoint(position: Position) -> dict[str, Any]:
    seen = {
        "time": _time(position.time),
        "latitude": round(position.latitude, 5),
        "longitude": round(position.longitude, 5),
        "altitude_baro": position.altitude,
        "on_ground": position.on_ground,
    }
    return {name: value for name, value in seen.items() if value is not None}


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1_000:03}Z"
