"""Questions about aircraft, over live objects in a bucket."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from live import objects
from tests.integration.api.conftest import FLEET, NO_OBJECTS, SHARD, START, milliseconds, update


@pytest.fixture(autouse=True)
def fleet(put):
    """Four aircraft: two near Shanghai, two on either side of 180 degrees."""
    put(FLEET)


def addresses(answer):
    """Return the addresses of a page."""
    return [target["icao_address"] for target in answer["targets"]]


def test_an_aircraft_has_named_fields(get):
    """Position and motion come with the identity, and what is not known is left out."""
    status, _, target = get("/targets/78121e")
    assert status == 200
    assert target["latitude"] == 31.2
    assert target["altitude_baro"] == 9_000
    assert target["position_timestamp"] == "2024-03-04T23:24:25.000Z"
    assert target["tail_number"] == "B-1234"
    assert target["on_ground"] is False
    assert "vertical_rate" not in target


def test_all_aircraft_come_by_address(get):
    """Without a filter all of them are there."""
    _, _, page = get("/targets")
    assert addresses(page) == ["040172", "780A11", "78121E", "C82222"]
    assert page["matched"] == 4
    assert "next" not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("bbox=120,30,122,32", ["780A11", "78121E"]),
        ("bbox=179,-18,-179,-17", ["040172", "C82222"]),
        ("bbox=-180,-90,180,90", ["040172", "780A11", "78121E", "C82222"]),
        ("airline=ca,FJ", ["78121E", "C82222"]),
        ("airline=air%20china", ["78121E"]),
        ("callsign=eth701", ["040172"]),
        ("type=B738", ["78121E"]),
        ("squawk=7700", ["040172"]),
        ("min_altitude=36000", ["040172", "C82222"]),
        ("max_altitude=9000", ["780A11", "78121E"]),
        ("on_ground=true", ["780A11"]),
        ("bbox=120,30,122,32&on_ground=false", ["78121E"]),
        ("airline=XX", []),
    ],
)
def test_filters(get, query, expected):
    """An aircraft is there if it matches every parameter, and any value of a list."""
    assert addresses(get(f"/targets?{query}")[2]) == expected


@pytest.mark.parametrize("box", ["170,-10,180,10", "-180,-10,-170,10", "180,-10,180,10", "-180,-10,-180,10"])
def test_an_edge_at_180_degrees_is_the_same_from_both_sides(get, put, box):
    """An aircraft on it is in the box, whichever of the two numbers it has."""
    put([update("AAAAAA", 0.0, 180.0), update("BBBBBB", 0.0, -180.0), update("CCCCCC", 0.0, 0.0)])
    assert addresses(get(f"/targets?bbox={box}")[2]) == ["AAAAAA", "BBBBBB"]


def test_pages_follow_one_another(get):
    """Each aircraft is on one page, and the last page has no next."""
    seen, target = [], "/targets?limit=3"
    while target:
        status, headers, page = get(target)
        assert status == 200
        assert page["matched"] == 4
        seen += addresses(page)
        target = page.get("next", "").removeprefix("/api")
        assert ("Link" in headers) == bool(target)
    assert seen == ["040172", "780A11", "78121E", "C82222"]


def test_a_cursor_belongs_to_its_question(get):
    """One of another question, and one that nobody gave, is refused and named."""
    following = get("/targets?limit=3")[2]["next"].removeprefix("/api")
    for target in (following + "&on_ground=true", "/targets?cursor=AAAA", "/targets?cursor=" + "A" * 3_000):
        status, headers, problem = get(target)
        assert (status, headers["Content-Type"], problem["parameter"]) == (400, "application/problem+json", "cursor")


def test_the_nearest_come_first(get):
    """A circle around a point, with the distance of each; across 180 degrees too."""
    _, _, page = get("/point/31.2/121.5/50")
    assert [(one["icao_address"], one["distance_nm"]) for one in page["targets"]] == [
        ("78121E", pytest.approx(5.14, abs=0.01)),
        ("780A11", pytest.approx(16.55, abs=0.1)),
    ]
    assert addresses(get("/point/31.2/121.5/6")[2]) == ["78121E"]
    assert addresses(get("/point/-17.5/180/30")[2]) == ["040172", "C82222"]
    assert addresses(get("/point/-17.5/-180/30?limit=1")[2]) == ["040172"]


def test_geojson_on_request(get):
    """The same page as a collection of points."""
    _, headers, collection = get("/targets?limit=1", accept="application/geo+json")
    assert headers["Content-Type"] == "application/geo+json"
    assert (collection["type"], collection["numberMatched"], collection["numberReturned"]) == (
        "FeatureCollection",
        4,
        1,
    )
    (feature,) = collection["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [179.9, -17.5]}
    assert feature["properties"]["callsign"] == "ETH701"
    assert collection["links"][0]["rel"] == "next"
    assert get("/targets/78121E", accept="application/geo+json, application/json;q=0.5")[2]["type"] == "Feature"
    assert get("/targets", accept="text/html")[0] == 406


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*, application/json;q=0", "FeatureCollection"),  # what is named is not taken, whatever covers it
        ("application/json;q=0.4, application/*;q=0.5", "FeatureCollection"),
        ("application/*, application/geo+json", "FeatureCollection"),
        ("application/geo+json;q=nan, application/json;q=0.1", None),
        ("application/*;q=0.2, */*;q=0.9", None),
        ("", None),
    ],
)
def test_the_closest_range_says_what_is_taken(get, accept, kind):
    """As RFC 9110 has it: a quality of 0 is a no, and the range that describes a type most closely counts."""
    status, _, answer = get("/targets?limit=1", accept=accept)
    assert (status, answer.get("type")) == (200, kind)


def test_a_type_that_is_refused_is_not_given(get):
    """Nothing is left to answer with."""
    assert get("/targets", accept="*/*, application/*;q=0")[0] == 406


def test_an_answer_that_is_known_is_not_sent_again(get, put, clock):
    """The tag is that of the content: 304 while it is the same, another when it has changed."""
    _, headers, _ = get("/targets")
    assert get("/targets", if_none_match=headers["ETag"])[::2] == (304, None)
    put([update("78121E", 31.3, 121.4)])
    assert get("/targets", if_none_match=headers["ETag"])[0] == 304  # not asked for again within a second
    clock.seconds += 1
    status, _, page = get("/targets", if_none_match=headers["ETag"])
    assert (status, addresses(page)) == (200, ["78121E"])


def test_closed_windows_fill_what_the_open_one_does_not_have_yet(get, put, s3):
    """A new window begins empty: the newest state of each aircraft is found wherever it is."""
    before = START - timedelta(minutes=1)
    old = [update("78121E", 30.0, 120.0, timestamp=before, ingestion_time=before), update("ABC123", 31.5, 121.5)]
    put(old, start=before, closed=True)
    assert addresses(get("/targets?bbox=119,29,122,32")[2]) == ["780A11", "78121E", "ABC123"]
    assert get("/targets/78121E")[2]["latitude"] == 31.2
    s3.put_object(Bucket="data", Key=objects.closed_window(SHARD, milliseconds(before)), Body=b"not a snapshot")
    assert get("/targets/ABC123")[0] == 200


def test_a_damaged_snapshot_is_left_out_and_counted(get, s3, clock):
    """What cannot be read hides nothing else, and health says so."""
    s3.put_object(Bucket="data", Key=objects.open_window(SHARD), Body=b"LIVE\x01\x01\x00\x00" + b"\xff" * 40)
    clock.seconds += 1
    assert get("/targets")[2] == {"targets": [], "matched": 0, "unreadable": 1}
    assert get("/targets", accept="application/geo+json")[2]["unreadable"] == 1
    assert get("/targets/ABC123")[2]["detail"].endswith("1 of them cannot be read now")
    assert get("/health")[2]["unreadable"] == 1


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"window_seconds":60,"shards":{"a":' + b"[" * 100_000, b"<html>"]
)
def test_a_list_of_shards_that_is_none_is_counted(get, s3, content):
    """The API goes on answering."""
    s3.put_object(Bucket="data", Key=objects.SHARDS, Body=content)
    assert get("/targets")[:1] == (200,)
    assert get("/health")[2]["unreadable"] == 1


def test_an_aircraft_nobody_has_seen(get):
    """It is not found, in words."""
    status, _, problem = get("/targets/FFFFFF")
    assert (status, problem["title"]) == (404, "Not Found")
    assert problem["detail"].startswith("FFFFFF: no such aircraft")


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        ("/targets?bbox=1,2,3", "bbox"),
        ("/targets?bbox=0,10,1,5", "bbox"),
        ("/targets?bbox=0,0,nan,5", "bbox"),
        ("/targets?limit=0", "limit"),
        ("/targets?limit=2001", "limit"),
        ("/targets?limit=1e3", "limit"),
        ("/targets?min_altitude=high", "min_altitude"),
        ("/targets?on_ground=yes", "on_ground"),
        ("/targets?airline=", "airline"),
        ("/targets?airline=" + quote("A," * 60), "airline"),
        ("/targets?limit=1&limit=2", "limit"),
        ("/targets?colour=blue", "colour"),
        ("/point/91/0/10", "latitude"),
        ("/point/0/0/251", "radius"),
        ("/health?verbose=true", "verbose"),
        ("/windows?from=yesterday", "from"),
        ("/windows?from=2024-03-04T00:00:00Z&to=2024-03-04T12:00:00Z", "from"),
        ("/alerts?from=2024-03-04T00:00:00Z&to=2024-03-03T00:00:00Z", "from"),
    ],
)
def test_a_wrong_parameter_is_named(get, target, parameter):
    """With what it got and what it takes, as RFC 9457 has it."""
    status, headers, problem = get(target)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert problem["parameter"] == parameter
    assert problem["takes"]
    assert "expected" in problem["detail"]


def test_what_there_is_not(get):
    """Another path is refused in words."""
    assert get("/airports")[0] == 404
    assert "expected one of /targets" in get("/airports")[2]["detail"]


def test_head_is_answered_as_get_is(get):
    """With the same headers; API Gateway leaves the body out."""
    assert get("/targets", method="HEAD") == get("/targets")


def test_health_says_how_old_what_is_shown_is(get, s3):
    """The age of the newest snapshot, and what the consumer says of itself."""
    s3.put_object(Bucket="data", Key=objects.STATUS, Body=b'{"source_lag_seconds": 3.1}')
    status, _, health = get("/health")
    assert (status, health["status"], health["aircraft"], health["shards"]) == (200, "ok", 4, 1)
    assert health["newest_snapshot_age_seconds"] == 0
    assert health["pipeline"] == {"source_lag_seconds": 3.1}


def test_health_of_a_stack_that_has_written_nothing(get, s3):
    """It is unknown, and no error."""
    for listed in s3.list_objects_v2(Bucket="data")["Contents"]:
        s3.delete_object(Bucket="data", Key=listed["Key"])
    assert get("/health")[2] == {"status": "unknown", "aircraft": 0, "shards": 0}


def test_a_bucket_that_does_not_answer(get, s3):
    """It is unavailable for now, and AWS's own words are not for whoever asks."""
    for listed in s3.list_objects_v2(Bucket="data")["Contents"]:
        s3.delete_object(Bucket="data", Key=listed["Key"])
    s3.delete_bucket(Bucket="data")
    status, headers, problem = get("/alerts")
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "data" not in problem["detail"].removeprefix("the data cannot be read now")


@pytest.mark.parametrize("refusal", NO_OBJECTS)
@pytest.mark.parametrize("question", ["/targets", "/targets/78121E", "/point/31/121/100", "/health"])
def test_live_objects_that_are_refused_are_no_empty_sky(get, refuse, clock, question, refusal):
    """Nothing is absent but what S3 has no such key of; when it answers again, all is there again."""
    for prefix in ("live/", objects.SHARDS, objects.open_window(SHARD), objects.open_window(SHARD) + objects.IDENTITY):
        refuse(*refusal, prefix)
        got, headers, _ = get(question)
        assert (got, headers["Retry-After"]) == (503, "5"), prefix
    refuse(0, b"", None)
    assert get(question)[0] == 200
    refuse(*refusal, "live/")
    clock.seconds += 1
    assert get(question)[0] == 503


def test_a_live_object_that_is_cut_short_on_its_way_is_read_again(get, refuse):
    """It is not damaged: the next request gets it whole."""
    refuse(200, b"LIVE", objects.open_window(SHARD), {"ETag": '"cut"', "Content-Length": "400"})
    assert get("/targets")[0] == 503
    refuse(0, b"", None)
    status, _, page = get("/targets")
    assert (status, addresses(page)) == (200, ["040172", "780A11", "78121E", "C82222"])
    assert "unreadable" not in page


@pytest.mark.parametrize("refusal", NO_OBJECTS)
def test_a_status_that_is_refused_is_not_missing(get, refuse, refusal):
    """Health without it would say that the consumer has written none."""
    refuse(*refusal, objects.STATUS)
    assert get("/health")[0] == 503
