"""The parameters that questions take, described for people and for OpenAPI; `api.parameters` reads their texts."""

from __future__ import annotations

import re

from api import flights, parameters, window_rows
from api.parameters import Parameter

_LONGEST_ADDRESS = 32
_AIRPORT = "^[A-Za-z]{4}$"
_LOWEST_FEET, _HIGHEST_FEET = -2_000, 100_000


def limit(most: int, usual: int) -> Parameter:
    """Return the parameter that bounds a page, `usual` where it is not given."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    takes, read = f"a whole number from 1 to {most}", parameters.integer(1, most)
    return Parameter("limit", "How many at most.", takes, read, schema, usual)


def time(name: str, description: str) -> Parameter:
    """Return a parameter that is a moment: milliseconds since the epoch."""
    takes = "an RFC 3339 time with a zone, such as 2024-03-04T23:24:00Z"
    return Parameter(name, description, takes, parameters.moment, {"type": "string", "format": "date-time"})


def in_path(name: str, description: str, low: float, high: float) -> Parameter:
    """Return a number in the path, within both bounds, inclusive."""

    def read(text: str) -> float:
        return parameters.number(text, low, high)

    schema = {"type": "number", "minimum": low, "maximum": high}
    return Parameter(name, description, f"a number from {low:g} to {high:g}", read, schema, is_in="path")


def _listed(name: str, description: str, example: str) -> Parameter:
    takes = f"up to 50 values, separated by commas, such as {example}"
    schema = {"type": "string", "pattern": parameters.LIST, "example": example}
    return Parameter(name, f"{description}; several values are separated by commas.", takes, parameters.names, schema)


def _altitude(name: str, which: str) -> Parameter:
    takes = f"feet, a whole number from {_LOWEST_FEET} to {_HIGHEST_FEET}"
    schema = {"type": "integer", "minimum": _LOWEST_FEET, "maximum": _HIGHEST_FEET}
    read = parameters.integer(_LOWEST_FEET, _HIGHEST_FEET)
    return Parameter(name, f"{which} barometric altitude, feet.", takes, read, schema)


def _address(text: str) -> str:
    if not 0 < len(text.strip()) <= _LONGEST_ADDRESS:
        raise ValueError(text)
    return text


def _kind(text: str) -> str:
    if text not in window_rows.KINDS:
        raise ValueError(text)
    return text


def _airport(text: str) -> str:
    if not re.fullmatch(_AIRPORT, text):
        raise ValueError(text)
    return text.upper()


ADDRESS = Parameter(
    "icao_address",
    "24-bit ICAO address, six hexadecimal digits in either case.",
    f"1 to {_LONGEST_ADDRESS} characters, such as 78121E",
    _address,
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_ADDRESS, "example": "78121E"},
    is_in="path",
)
AIRPORT = Parameter(
    "airport",
    "ICAO code of an airport that they left or came to.",
    "four letters, such as ZSPD",
    _airport,
    {"type": "string", "pattern": _AIRPORT, "example": "ZSPD"},
)
BOUNDING_BOX = Parameter(
    "bbox",
    "west,south,east,north in degrees; west > east crosses 180 degrees.",
    "west,south,east,north: four numbers, -180 to 180 and -90 to 90, south not above north",
    parameters.bounding_box,
    {"type": "string", "example": "120.8,30.6,122.2,31.9", "pattern": parameters.BOX},
)
CURSOR = Parameter(
    "cursor", "Where the page begins: from `next` of the page before.", "a cursor", str, {"type": "string"}
)
DATE = Parameter(
    "date",
    "The UTC day on which they began; by default the last 7 days, the newest first.",
    "a day, such as 2024-03-04",
    flights.day,
    {"type": "string", "format": "date"},
)
FILTERS = (
    _listed("airline", "IATA code or name of the airline", "MU,CA"),
    _listed("callsign", "Callsign", "CCA8302"),
    _listed("type", "ICAO type designator", "A359"),
    _listed("squawk", "Transponder code", "7500,7600,7700"),
    _altitude("min_altitude", "Least"),
    _altitude("max_altitude", "Greatest"),
    Parameter("on_ground", "Whether on the ground.", "true or false", parameters.flag, {"type": "boolean"}),
)
FLIGHT_ID = Parameter(
    "id",
    "The flight's id, as `/flights` gives it.",
    "an address and a time, such as 78121E-20210320T120001Z",
    flights.identity,
    {"type": "string", "pattern": flights.ID, "example": "78121E-20210320T120001Z"},
    is_in="path",
)
ICAO_ADDRESSES = _listed("icao_address", "ICAO address", "78121E")
KIND = Parameter(
    "kind",
    "Rows of one kind.",
    " or ".join(window_rows.KINDS),
    _kind,
    {"type": "string", "enum": list(window_rows.KINDS)},
)
