"""One update of an aircraft, as far as flights are made of it."""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """Where an aircraft was. Times are milliseconds since the epoch; None is what the update did not say."""

    time: int
    """When it was measured at the latest (`common.recency`)."""
    latitude: float
    longitude: float
    altitude: int | None = None
    """Feet, barometric."""
    speed: float | None = None
    """Knots over ground."""
    heading: float | None = None
    """Degrees clockwise from north."""
    on_ground: bool | None = None
    callsign: str | None = None
    flight_id: str | None = None
    flight_number: str | None = None
    tail_number: str | None = None
    aircraft_type_icao: str | None = None
    airline_iata: str | None = None
    departure_airport_icao: str | None = None
    arrival_airport_icao: str | None = None
    takeoff_time: int | None = None
    landing_time: int | None = None
