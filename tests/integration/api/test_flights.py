"""Questions about flights: by day, aircraft and airport, page by page; and the way of one."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from common import flight_book
from tests.integration.api.conftest import NO_OBJECTS

DAY = datetime(2024, 3, 4, 6, 0, 0)  # noqa: DTZ001 - a time to write
AIRPORTS = ("ZSPD", "EGLL", "KATL")


def flight(number, day=DAY, **others):
    """Make the flight of one of ninety aircraft."""
    begin = day + timedelta(minutes=number % 40)
    address = f"{0x780000 + number:06X}"
    values = {
        "id": f"{address}-{begin:%Y%m%dT%H%M%SZ}",
        "icao_address": address,
        "callsign": f"CES{number}",
        "departure_airport_icao": AIRPORTS[number % 2],
        "arrival_airport_icao": AIRPORTS[number % 3],
        "first_time": f"{begin:%Y-%m-%dT%H:%M:%S}.000Z",
        "last_time": f"{begin:%Y-%m-%dT%H:%M:%S}.000Z",
        "distance_nm": 700.5,
        "great_circle_nm": 690.0,
        "positions": 100,
    }
    return {**values, **others}


WAY = [(121.4, 31.2), (150.0, 40.0), (179.0, 45.0), (-178.0, 46.5), (-160.0, 48.0)]


@pytest.fixture
def put_flights(s3):
    """Write a day's flights as the flights function does."""

    def write(flights, day="2024-03-04"):
        target = io.BytesIO()
        with io.BytesIO() as blocks:
            writer = flight_book.Writer(blocks, io.BytesIO())
            for one in sorted(flights, key=lambda one: one["id"]):
                track = [
                    {
                        "time": f"2024-03-04T0{place}:00:00.000Z",
                        "longitude": lon,
                        "latitude": lat,
                        "altitude_baro": 1_000 * place,
                    }
                    for place, (lon, lat) in enumerate(WAY)
                ]
                line, summary = json.dumps({**one, "track": track}, separators=(",", ":")), json.dumps(one)
                airports = dict.fromkeys([one["departure_airport_icao"], one["arrival_airport_icao"]])
                writer.add(one["id"], line.encode(), summary.encode(), airports)
            writer.finish(target)
        s3.put_object(Bucket="data", Key=flight_book.key(day), Body=target.getvalue())

    return write


FLIGHTS = [flight(number) for number in range(90)]
IDS = [one["id"] for one in FLIGHTS]


def pages(get, address):
    """Return the ids of all pages, and how many pages there were."""
    found, count = [], 0
    while address:
        status, _, answer = get(address.removeprefix("/api"))
        assert status == 200, answer
        found += [one["id"] for one in answer["flights"]]
        address, count = answer.get("next"), count + 1
    return found, count


def test_all_of_a_day_page_by_page(get, put_flights):
    """Each flight once, in order, with the fields that are known."""
    put_flights(FLIGHTS)
    found, count = pages(get, "/flights?date=2024-03-04&limit=40")
    assert (found, count) == (IDS, 3)
    _, _, answer = get("/flights?date=2024-03-04&limit=1")
    assert answer["flights"] == [{**FLIGHTS[0]}]


def test_without_a_day_the_last_ones(get, put_flights):
    """The newest first, and a page goes on with the day before."""
    put_flights(FLIGHTS[:3])
    put_flights([flight(1, DAY - timedelta(days=2))], "2024-03-02")
    put_flights([flight(2, DAY - timedelta(days=9))], "2024-02-24")
    found, _ = pages(get, "/flights?limit=2")
    assert found == [*IDS[:3], "780001-20240302T060100Z"]


def test_pages_without_a_day_go_on_beyond_midnight(get, put_flights, clock):
    """They are about the seven days of the first one."""
    oldest = [flight(number, DAY - timedelta(days=6)) for number in range(3)]
    put_flights(oldest, "2024-02-27")
    first = get("/flights?limit=1")[2]
    clock.seconds += 3_600
    found, _ = pages(get, first["next"])
    assert [first["flights"][0]["id"], *found] == [one["id"] for one in oldest]


def test_an_address_that_is_not_icaos_is_asked_for_as_any_other(get, put_flights):
    """Receivers write those of TIS-B with a tilde."""
    one = {**flight(1), "icao_address": "~2A3B4C", "id": "~2A3B4C-20240304T060100Z"}
    put_flights([one])
    assert pages(get, "/flights?date=2024-03-04&icao_address=~2a3b4c,780001")[0] == [one["id"]]
    assert get(f"/flights/{one['id']}")[0] == 200


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_of_an_aircraft_and_of_an_airport(get, put_flights, limit):
    """What is asked for and nothing else, however it is cut into pages."""
    put_flights(FLIGHTS)
    found, _ = pages(get, f"/flights?date=2024-03-04&icao_address=780021,780055,AAAAAA&limit={limit}")
    assert found == [IDS[0x21], IDS[0x55]]
    found, _ = pages(get, f"/flights?date=2024-03-04&airport=zspd&limit={limit + 6}")
    assert found == [
        one["id"] for one in FLIGHTS if "ZSPD" in {one["departure_airport_icao"], one["arrival_airport_icao"]}
    ]
    found, _ = pages(get, f"/flights?date=2024-03-04&airport=KATL&icao_address=780002,780003&limit={limit}")
    assert found == [IDS[2]]


def test_the_way_of_a_flight(get, put_flights):
    """A GeoJSON line, cut where it crosses 180 degrees, with the time and altitude of each point of it."""
    put_flights(FLIGHTS)
    status, headers, answer = get(f"/flights/{IDS[50].lower().replace('t', 'T').replace('z', 'Z')}")
    assert (status, headers["Content-Type"]) == (200, "application/geo+json")
    assert (answer["type"], answer["id"], answer["properties"]["callsign"]) == ("Feature", IDS[50], "CES50")
    assert answer["geometry"]["type"] == "MultiLineString"
    west, east = answer["geometry"]["coordinates"]
    assert west == [[121.4, 31.2], [150.0, 40.0], [179.0, 45.0], [180.0, 45.5]]
    assert east == [[-180.0, 45.5], [-178.0, 46.5], [-160.0, 48.0]]
    clocks = [one.removeprefix("2024-03-04T").removesuffix(":00.000Z") for one in answer["properties"]["times"]]
    assert clocks == ["00:00", "01:00", "02:00", "02:20", "02:20", "03:00", "04:00"]
    assert answer["properties"]["altitudes"] == [0, 1_000, 2_000, 2_333, 2_333, 3_000, 4_000]


def test_a_flight_without_a_way_is_damaged(s3, get):
    """It is unavailable until it is made again, as what cannot be read is."""
    target, blocks = io.BytesIO(), io.BytesIO()
    writer = flight_book.Writer(blocks, io.BytesIO())
    one = flight(1)
    writer.add(
        one["id"], json.dumps({**one, "track": []}, separators=(",", ":")).encode(), json.dumps(one).encode(), {}
    )
    writer.finish(target)
    s3.put_object(Bucket="data", Key=flight_book.key("2024-03-04"), Body=target.getvalue())
    assert get(f"/flights/{one['id']}")[0] == 503


def test_a_day_that_was_made_again_is_read_again(get, put_flights):
    """What is kept of a day is not kept longer than the day."""
    put_flights(FLIGHTS[:50])
    assert get(f"/flights/{IDS[60]}")[0] == 404
    put_flights(FLIGHTS)
    assert get(f"/flights/{IDS[60]}")[0] == 200


def test_what_is_not_there(get, put_flights):
    """A day without flights is an empty page, a flight that is not there a 404."""
    assert get("/flights?date=2024-03-04")[2] == {"flights": []}
    put_flights(FLIGHTS)
    assert get("/flights/780001-20240305T000000Z")[0] == 404
    assert get("/flights/780001-20240304T055959Z")[0] == 404


@pytest.mark.parametrize(
    "question",
    ["?date=yesterday", "?date=2024-02-30", "?date=20240304", "?airport=PVG", "?limit=0", "?day=2024-03-04",
     "?cursor=nonsense", "/780001", "/780001-20241304T000000Z", f"/{quote('../live')}"],
)  # fmt: skip
def test_wrong_questions(get, question):
    """The answer names the parameter and what it takes."""
    status, headers, answer = get(f"/flights{question}")
    assert status == 400 or (status == 404 and "/" in question[1:])
    assert headers["Content-Type"] == "application/problem+json"
    assert status == 404 or "expected" in answer["detail"]


@pytest.mark.parametrize("refusal", NO_OBJECTS)
def test_a_day_that_is_refused_is_not_one_without_flights(get, put_flights, refuse, refusal):
    """Only where S3 has no such key are there none."""
    put_flights(FLIGHTS)
    refuse(*refusal, "flights/")
    for question in ("/flights", "/flights?date=2024-03-04", f"/flights/{IDS[0]}"):
        assert get(question)[0] == 503


@pytest.fixture
def damage(s3, put_flights):
    """Put three days of which the second is damaged."""

    def write(what):
        for back in range(3):
            put_flights([flight(number, DAY - timedelta(days=back)) for number in range(90)], f"2024-03-0{4 - back}")
        key = flight_book.key("2024-03-03")
        content = bytearray(s3.get_object(Bucket="data", Key=key)["Body"].read())
        place = 40 if what == "directory" else flight_book.directory_end(content) + 20
        content[place : place + 20] = b"\xff" * 20
        whole = {"another object": b"something else", "nothing": b"", "its beginning": bytes(content[:30])}
        s3.put_object(Bucket="data", Key=key, Body=whole.get(what, bytes(content)))

    return write


@pytest.mark.parametrize("what", ["another object", "nothing", "its beginning", "directory"])
def test_a_damaged_day_hides_no_other(get, damage, what):
    """Without a day it is named, and the others' flights are answered; asked for by itself it is unavailable."""
    damage(what)
    _, _, answer = get("/flights?limit=500")
    assert [one["id"] for one in answer["flights"]] == [*IDS, *(one.replace("20240304", "20240302") for one in IDS)]
    assert answer["unreadable_days"] == ["2024-03-03"]
    for question in ("?date=2024-03-03", f"/{IDS[0].replace('20240304', '20240303')}"):
        status, headers, answer = get(f"/flights{question}")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert "2024-03-03 cannot be read until they are made again" in answer["detail"]


@pytest.mark.parametrize("limit", [1, 40, 500])
def test_a_damaged_block_hides_no_other(get, damage, limit):
    """What else there is of the day is answered, page by page, and the day named."""
    damage("block")
    found, _ = pages(get, f"/flights?date=2024-03-03&limit={limit}")
    assert found == [one.replace("20240304", "20240303") for one in IDS[32:]]
    assert get("/flights?date=2024-03-03")[2]["unreadable_days"] == ["2024-03-03"]


def book(directory, block=b""):
    """A day's object with that directory, and that block at byte 100,000."""
    packed = gzip.compress(directory)
    return (struct.pack("<4sI", b"FLT1", len(packed)) + packed).ljust(100_000, b"\0") + block


def listing(**block):
    """A directory of that block."""
    values = {"first_id": "", "offset": 100_000, "size": 1, **block}
    return json.dumps({"flights": 1, "blocks": [list(values.values())], "airports": {}}).encode()


BOMB = gzip.compress(bytes(300_000_000), 1)
LINES = gzip.compress(b"\n" * 60_000_000, 1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(book(bytes(300_000_000)), id="directory"),
        pytest.param(book(listing(size=len(BOMB)), BOMB), id="block"),
        pytest.param(book(listing(size=len(LINES)), LINES), id="lines"),
        pytest.param(book(listing(size=1 << 40), bytes(100_000_000)), id="size"),
        pytest.param(book(listing(size=-1), bytes(100_000_000)), id="a size below 0"),
        pytest.param(book(listing(offset=-1), bytes(100_000_000)), id="a place before the beginning"),
    ],
)
def test_of_a_day_no_more_is_read_than_there_can_be(get, s3, content):
    """Whatever an object inflates to, or says of its size."""
    s3.put_object(Bucket="data", Key=flight_book.key("2024-03-04"), Body=content)
    tracemalloc.start()
    try:
        for question in ("/flights", f"/flights/{IDS[0]}"):
            assert get(question)[2].get("unreadable_days", ["2024-03-04"]) == ["2024-03-04"]
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def test_pages_go_on_behind_blocks_of_much(get, s3):
    """A page reads two blocks at the least: the one in which the one before has ended, and the next."""
    target, blocks = io.BytesIO(), io.BytesIO()
    writer = flight_book.Writer(blocks, io.BytesIO())
    ids = []
    for number in range(128):
        one = flight(number)
        ids.append(one["id"])
        line = json.dumps({**one, "track": []}).encode().ljust(1_500_000 if number < 64 else 0)
        writer.add(one["id"], line, json.dumps(one).encode(), {})
    writer.finish(target)
    s3.put_object(Bucket="data", Key=flight_book.key("2024-03-04"), Body=target.getvalue())
    assert pages(get, "/flights?date=2024-03-04&limit=500") == (ids, 2)


def test_a_large_days_directory_is_read_whole(get, s3):
    """One that does not end within the first bytes, and blocks far behind it."""
    target, blocks = io.BytesIO(), io.BytesIO()
    writer = flight_book.Writer(blocks, io.BytesIO())
    ids = []
    for number in range(3_000):
        one = flight(number, departure_airport_icao=None, tail_number=f"{hash((number, 'x')) & 0xFFFFFFFFFFFF:x}" * 3)
        ids.append(one["id"])
        codes = [
            f"{chr(65 + number // 676 % 26)}{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}{k}" for k in "ABC"
        ]
        writer.add(one["id"], json.dumps({**one, "track": []}).encode(), json.dumps(one).encode(), codes)
    writer.finish(target)
    assert flight_book.directory_end(target.getvalue()) > flight_book.BEGINNING
    s3.put_object(Bucket="data", Key=flight_book.key("2024-03-04"), Body=target.getvalue())
    found, _ = pages(get, f"/flights?date=2024-03-04&icao_address={ids[2_999][:6]},{ids[0][:6]}")
    assert found == [ids[0], ids[2_999]]


def test_nothing_of_this_needs_duckdb():
    """The API starts within its bound: what it reads is no Parquet."""
    source = Path(flight_book.__file__).resolve().parents[1]
    assert not [path for path in (source / "api").glob("*.py") if "duckdb" in path.read_text()]
    assert "duckdb" not in (source / "common" / "flight_book.py").read_text()
