"""Aircraft of the generated traffic: types, airlines, and registrations that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class AircraftType:
    """A type: ICAO designator, name, usual cruise in feet and knots over ground, range in nautical miles."""

    icao: str
    name: str
    cruise_altitude: int
    cruise_speed: int
    range_nm: int


@dataclass(frozen=True, slots=True)
class Airline:
    """An airline: codes, name, what its aircraft's registrations and 24-bit addresses begin with, its home airports.

    `address_block` is the first address of the state of registry's block (ICAO Annex 10, volume III).
    """

    iata: str
    icao: str
    name: str
    tail_prefix: str
    address_block: int
    hubs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aircraft:
    """One airframe: what is the same in every update of it."""

    icao_address: str
    tail_number: str
    type: AircraftType
    airline: Airline


TYPES: tuple[AircraftType, ...] = (
    AircraftType("A20N", "Airbus A320-251N", 37000, 450, 3300),
    AircraftType("A320", "Airbus A320-214", 36000, 447, 3000),
    AircraftType("A321", "Airbus A321-231", 35000, 450, 3000),
    AircraftType("B738", "Boeing 737-8AS", 37000, 453, 2900),
    AircraftType("B38M", "Boeing 737 MAX 8", 37000, 455, 3500),
    AircraftType("E190", "Embraer ERJ-190", 35000, 445, 2200),
    AircraftType("A333", "Airbus A330-343", 39000, 470, 6100),
    AircraftType("A359", "Airbus A350-941", 40000, 488, 8000),
    AircraftType("B789", "Boeing 787-9 Dreamliner", 40000, 488, 7500),
    AircraftType("B77W", "Boeing 777-300ER", 38000, 490, 7300),
)

AIRLINES: tuple[Airline, ...] = (
    Airline("DL", "DAL", "Delta Air Lines", "N", 0xA00000, ("KATL", "KJFK", "KSEA")),
    Airline("AA", "AAL", "American Airlines", "N", 0xA00000, ("KDFW", "KMIA", "KPHX")),
    Airline("UA", "UAL", "United Airlines", "N", 0xA00000, ("KORD", "KDEN", "KSFO", "KEWR")),
    Airline("AC", "ACA", "Air Canada", "C-", 0xC00000, ("CYYZ", "CYVR", "CYUL")),
    Airline("AM", "AMX", "Aeromexico", "XA-", 0x0D0000, ("MMMX",)),
    Airline("LA", "TAM", "LATAM Airlines Brasil", "PT-", 0xE40000, ("SBGR",)),
    Airline("AV", "AVA", "Avianca", "HK-", 0x0AC000, ("SKBO",)),
    Airline("BA", "BAW", "British Airways", "G-", 0x400000, ("EGLL", "EGKK")),
    Airline("EI", "EIN", "Aer Lingus", "EI-", 0x4CA000, ("EIDW",)),
    Airline("AF", "AFR", "Air France", "F-", 0x390000, ("LFPG",)),
    Airline("KL", "KLM", "KLM Royal Dutch Airlines", "PH-", 0x484000, ("EHAM",)),
    Airline("LH", "DLH", "Lufthansa", "D-", 0x3C4000, ("EDDF", "EDDM")),
    Airline("LX", "SWR", "Swiss", "HB-", 0x4B0000, ("LSZH",)),
    Airline("IB", "IBE", "Iberia", "EC-", 0x340000, ("LEMD",)),
    Airline("TP", "TAP", "TAP Portugal", "CS-", 0x490000, ("LPPT",)),
    Airline("AY", "FIN", "Finnair", "OH-", 0x460000, ("EFHK",)),
    Airline("TK", "THY", "Turkish Airlines", "TC-", 0x4B8000, ("LTFM",)),
    Airline("EK", "UAE", "Emirates", "A6-", 0x896000, ("OMDB",)),
    Airline("QR", "QTR", "Qatar Airways", "A7-", 0x06A000, ("OTHH",)),
    Airline("ET", "ETH", "Ethiopian Airlines", "ET-", 0x040000, ("HAAB",)),
    Airline("KQ", "KQA", "Kenya Airways", "5Y-", 0x04C000, ("HKJK",)),
    Airline("AI", "AIC", "Air India", "VT-", 0x800000, ("VIDP", "VABB")),
    Airline("TG", "THA", "Thai Airways", "HS-", 0x880000, ("VTBS",)),
    Airline("SQ", "SIA", "Singapore Airlines", "9V-", 0x768000, ("WSSS",)),
    Airline("CX", "CPA", "Cathay Pacific", "B-", 0x780000, ("VHHH",)),
    Airline("MU", "CES", "China Eastern Airlines", "B-", 0x781000, ("ZSPD",)),
    Airline("CA", "CCA", "Air China", "B-", 0x782000, ("ZBAA",)),
    Airline("KE", "KAL", "Korean Air", "HL", 0x71B000, ("RKSI",)),
    Airline("NH", "ANA", "All Nippon Airways", "JA", 0x840000, ("RJTT", "RJAA")),
    Airline("QF", "QFA", "Qantas", "VH-", 0x7C0000, ("YSSY", "YMML")),
    Airline("NZ", "ANZ", "Air New Zealand", "ZK-", 0xC80000, ("NZAA",)),
)

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ADDRESSES_IN_BLOCK = 1024
"""Addresses used of each block: the smallest of the blocks above, Qatar's, holds this many."""

CAPACITY = _ADDRESSES_IN_BLOCK * len({airline.address_block for airline in AIRLINES})
"""How many aircraft a fleet may have."""


def build_fleet(count: int, rng: random.Random) -> list[Aircraft]:
    """Return `count` aircraft with distinct addresses and registrations.

    Raises
    ------
    ValueError
        More were asked for than the address blocks hold.
    """
    if count > CAPACITY:
        raise ValueError(f"aircraft: got {count}; the generated fleet has room for {CAPACITY}")
    # Addresses are dealt block by block, so that no two aircraft ever share one, whatever the airlines drawn.
    free = {airline.address_block: rng.sample(range(_ADDRESSES_IN_BLOCK), _ADDRESSES_IN_BLOCK) for airline in AIRLINES}
    fleet: list[Aircraft] = []
    tails: set[str] = set()
    while len(fleet) < count:
        airline = rng.choice(AIRLINES)
        if not free[airline.address_block]:
            continue
        tail = _tail_number(airline, rng)
        if tail in tails:
            continue
        tails.add(tail)
        address = airline.address_block + free[airline.address_block].pop()
        fleet.append(Aircraft(f"{address:06X}", tail, rng.choice(TYPES), airline))
    return fleet


def _tail_number(airline: Airline, rng: random.Random) -> str:
    """Return a registration in the form its state uses."""
    letters = "".join(rng.choices(_LETTERS, k=3))
    match airline.tail_prefix:
        case "N":
            return f"N{rng.randint(100, 999)}{letters[:2]}"
        case "B-" | "HK-" | "HL" | "JA" as prefix:
            return f"{prefix}{rng.randint(1000, 9999)}"
        case "C-" | "G-" | "F-" | "D-" as prefix:
            return f"{prefix}{rng.choice(_LETTERS)}{letters}"
        case prefix:
            return f"{prefix}{letters}"
