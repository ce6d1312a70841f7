"""Where airports are: those with an ICAO code that OurAirports calls large or medium (public domain).

`airports.csv` is made by `python -m tools.map`; `docs/map.md` names its source.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from importlib import resources
from math import cos, floor, radians
from typing import TYPE_CHECKING, NamedTuple, Self

from flights.geodesy import distance_nm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MILES_IN_DEGREE = 60.0
_NEAR_POLE = 0.02
"""Cosine of a latitude above which a degree of longitude is counted as no shorter."""


class Airport(NamedTuple):
    """An airport: ICAO code, reference point in degrees, elevation in feet."""

    icao: str
    latitude: float
    longitude: float
    elevation: int


class Airports:
    """Finds airports by their code, and by where they are."""

    def __init__(self, airports: Iterable[Airport]) -> None:
        self._by_code: dict[str, Airport] = {}
        self._by_cell: dict[tuple[int, int], list[Airport]] = defaultdict(list)
        for airport in airports:
            self._by_code[airport.icao] = airport
            self._by_cell[floor(airport.latitude), floor(airport.longitude)].append(airport)

    @classmethod
    def shipped(cls) -> Self:
        """Return those that are shipped with this package."""
        rows = csv.reader(resources.files("flights").joinpath("airports.csv").read_text("ascii").splitlines()[1:])
        return cls(Airport(icao, float(lat), float(lon), int(feet)) for icao, lat, lon, feet in rows)

    def get(self, icao: str | None) -> Airport | None:
        """Return the airport of a code, None if it is not known."""
        return None if icao is None else self._by_code.get(icao)

    def nearest(self, latitude: float, longitude: float, within_nm: float) -> Airport | None:
        """Return the nearest airport within a distance of at most 60 nautical miles, None if there is none."""
        found = [
            (distance, airport)
            for airport in self._around(latitude, longitude, within_nm)
            if (distance := distance_nm(latitude, longitude, airport.latitude, airport.longitude)) <= within_nm
        ]
        return min(found)[1] if found else None

    def _around(self, latitude: float, longitude: float, within_nm: float) -> Iterator[Airport]:
        tall = within_nm / _MILES_IN_DEGREE
        wide = min(180.0, tall / max(_NEAR_POLE, cos(radians(min(90.0, abs(latitude) + tall)))))
        for row in range(floor(latitude - tall), floor(latitude + tall) + 1):
            for column in range(
                floor(longitude - wide), min(floor(longitude + wide), floor(longitude - wide) + 359) + 1
            ):
                yield from self._by_cell.get((row, (column + 180) % 360 - 180), ())
