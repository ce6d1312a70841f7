"""Aircraft as GeoJSON (RFC 7946), for maps and geographic information systems."""

from __future__ import annotations

import msgspec

from api.schemas import Feature, FeatureCollection, Link, Point, Target, Targets

MEDIA_TYPE = "application/geo+json"


def collection(page: Targets) -> FeatureCollection:
    """Return a page of aircraft as a collection."""
    features = [feature(target) for target in page.targets]
    links = [] if page.next is None else [Link(href=page.next, rel="next", type=MEDIA_TYPE)]
    return FeatureCollection(
        features=features,
        numberMatched=page.matched,
        numberReturned=len(features),
        links=links,
        unreadable=page.unreadable,
    )


def feature(target: Target) -> Feature:
    """Return one aircraft."""
    properties = {
        name: value
        for name in target.__struct_fields__
        if name not in {"latitude", "longitude"} and (value := getattr(target, name)) is not None
    }
    if target.latitude is None or target.longitude is None:
        geometry = None
    else:
        geometry = Point((target.longitude, target.latitude))
    return Feature(target.icao_address, geometry, properties)


encode = msgspec.json.Encoder().encode
