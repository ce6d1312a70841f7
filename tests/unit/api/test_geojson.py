"""Aircraft as GeoJSON."""

from __future__ import annotations

import msgspec

from api import geojson
from api.schemas import Target, Targets


def decoded(page):
    """A page as a client gets it."""
    return msgspec.json.decode(geojson.encode(geojson.collection(page)))


def test_a_position_is_the_geometry_and_the_rest_are_properties():
    """Longitude comes first (RFC 7946, 3.1.1); what is not known is left out."""
    target = Target(icao_address="78121E", timestamp="2024-03-04T23:24:00Z", latitude=33.6, longitude=-84.4, speed=250)
    [feature] = decoded(Targets(targets=[target], matched=1))["features"]
    assert feature == {
        "type": "Feature",
        "id": "78121E",
        "geometry": {"type": "Point", "coordinates": [-84.4, 33.6]},
        "properties": {"icao_address": "78121E", "timestamp": "2024-03-04T23:24:00Z", "speed": 250},
    }


def test_an_aircraft_without_a_position_is_a_feature_without_geometry():
    """It is there all the same (RFC 7946, 3.2)."""
    target = Target(icao_address="78121E", timestamp="2024-03-04T23:24:00Z", latitude=33.6)
    [feature] = decoded(Targets(targets=[target], matched=1))["features"]
    assert feature["geometry"] is None


def test_the_next_page_is_a_link():
    """As OGC API Features has it, beside how many there are."""
    target = Target(icao_address="78121E", timestamp="2024-03-04T23:24:00Z")
    page = decoded(Targets(targets=[target], matched=2, next="/api/targets?cursor=x"))
    assert (page["numberMatched"], page["numberReturned"]) == (2, 1)
    assert page["links"] == [{"href": "/api/targets?cursor=x", "rel": "next", "type": "application/geo+json"}]
    assert decoded(Targets(targets=[target], matched=1)).get("links", []) == []
