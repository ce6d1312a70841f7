"""Generated traffic looks like the provider's: in its rates, its latencies, its gaps and its flights."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict

import pytest

from local.simulator import times
from local.simulator.flights import GeneratedTraffic
from local.simulator.geodesy import distance_nm, unit_vector

START_TEXT = "2024-03-04T00:00:00Z"
START = times.parse(START_TEXT)
SAMPLE_ORDER = [
    "ingestion_time",
    "icao_address",
    "flight_id",
    "timestamp",
    "latitude",
    "longitude",
    "altitude_baro",
    "heading",
    "speed",
    "vertical_rate",
    "squawk",
    "on_ground",
    "callsign",
    "tail_number",
    "source",
    "collection_type",
    "flight_number",
    "aircraft_type_icao",
    "aircraft_type_name",
    "airline_iata",
    "airline_name",
    "departure_utc_offset",
    "departure_airport_icao",
    "departure_airport_iata",
    "departure_scheduled_time",
    "departure_estimated_time",
    "takeoff_time",
    "arrival_utc_offset",
    "arrival_airport_icao",
    "arrival_airport_iata",
    "arrival_scheduled_time",
    "arrival_estimated_time",
    "landing_time",
]


def _traffic(count, **settings):
    source = GeneratedTraffic(**({"rate": 50, "aircraft": 300, "seed": 7, "start": START} | settings))
    return list(itertools.islice(source.updates(), count))


@pytest.fixture(scope="module")
def released():
    """Eight minutes of traffic: ingestion times and lines."""
    return _traffic(24_000)


@pytest.fixture(scope="module")
def targets(released):
    """The same, decoded."""
    return [json.loads(line)["target"] for _, line in released]


def test_a_seed_repeats_byte_for_byte():
    """The same settings give the same bytes, and another seed gives others."""
    assert _traffic(2000) == _traffic(2000)
    assert _traffic(100) != _traffic(100, seed=8)


def test_the_rate_is_kept_from_the_first_second(released):
    """Each ten seconds hold about ten times the rate, the first ones too."""
    per_span = Counter(int((ingested - START) // 10) for ingested, _ in released)
    full = [per_span[span] for span in range(max(per_span))]
    assert all(400 < count < 600 for count in full)


def test_lines_look_like_the_sample(released, targets):
    """Field names and their order are those of a real update, and so is the size."""
    assert all(line.startswith(b'{"target":{"ingestion_time":"') for _, line in released)
    for names in {tuple(target) for target in targets}:
        positions = [SAMPLE_ORDER.index(name) for name in names]
        assert positions == sorted(positions)
    assert 650 < sum(len(line) for _, line in released) / len(released) < 950


def test_ingestion_times_never_fall(released, targets):
    """Lines come in the order of their ingestion times, which are those inside the lines."""
    assert all(earlier[0] <= later[0] for earlier, later in itertools.pairwise(released))
    assert all(times.parse(t["ingestion_time"]) == at for (at, _), t in zip(released, targets, strict=True))


def test_updates_are_unique(targets):
    """(icao_address, timestamp, ingestion_time) is a key; (icao_address, timestamp) is not quite, as in real data."""
    assert len({(t["icao_address"], t["timestamp"], t["ingestion_time"]) for t in targets}) == len(targets)
    seen_twice = len(targets) - len({(t["icao_address"], t["timestamp"]) for t in targets})
    assert 0 < seen_twice < len(targets) / 500


def test_one_update_per_aircraft_and_interval(targets):
    """No aircraft has two different sightings within five seconds."""
    sightings = defaultdict(set)
    for target in targets:
        sightings[target["icao_address"]].add(times.parse(target["timestamp"]))
    for instants in sightings.values():
        assert all(later - earlier >= 5 for earlier, later in itertools.pairwise(sorted(instants)))


def test_latencies_are_the_real_ones(targets):
    """Median 2.8 s, 99 % under 5.2 s, and a few satellite updates that are minutes late and out of order."""
    latencies = sorted(times.parse(t["ingestion_time"]) - times.parse(t["timestamp"]) for t in targets)
    assert latencies[len(latencies) // 2] == pytest.approx(2.8, abs=0.1)
    assert latencies[int(len(latencies) * 0.99)] < 5.2
    late = [t for t in targets if times.parse(t["ingestion_time"]) - times.parse(t["timestamp"]) > 60]
    assert late
    assert {t["collection_type"] for t in late} == {"satellite"}


@pytest.mark.parametrize(
    ("field", "missing"),
    [("altitude_baro", 0.14), ("vertical_rate", 0.37), ("squawk", 0.30), ("on_ground", 0.01), ("heading", 0.05)],
)
def test_fields_are_missing_at_the_real_rates(targets, field, missing):
    """A field without a value is left out, about as often as in the real data."""
    absent = sum(field not in target for target in targets) / len(targets)
    assert absent == pytest.approx(missing, abs=0.01)


def test_an_aircraft_keeps_its_identity(targets):
    """Address, registration and type belong together; a flight keeps its callsign and route."""
    airframes, tails, flights = defaultdict(set), defaultdict(set), defaultdict(set)
    for t in targets:
        airframes[t["icao_address"]].add((t["tail_number"], t["aircraft_type_icao"]))
        tails[t["tail_number"]].add(t["icao_address"])
        flights[t["flight_id"]].add((t.get("callsign"), t.get("departure_airport_icao"), t.get("arrival_airport_icao")))
    assert len(airframes) == 300
    assert all(len(known) == 1 for known in (*airframes.values(), *tails.values(), *flights.values()))


def test_positions_move_as_fast_as_the_aircraft(targets):
    """Between two timely sightings in the air an aircraft moves by its speed, towards its heading."""
    by_flight = defaultdict(list)
    for t in targets:
        if t.get("on_ground") is False and "heading" in t:
            by_flight[t["flight_id"]].append((times.parse(t["timestamp"]), t))
    checked = 0
    for sightings in by_flight.values():
        ordered = sorted(sightings, key=lambda sighting: sighting[0])
        for (t0, a), (t1, b) in zip(ordered, ordered[6:], strict=False):
            if t1 - t0 < 60:
                moved = distance_nm(
                    unit_vector(a["latitude"], a["longitude"]), unit_vector(b["latitude"], b["longitude"])
                )
                assert moved == pytest.approx(a["speed"] * (t1 - t0) / 3600, abs=0.6)
                checked += 1
    assert checked > 100


def test_emergencies_happen_and_last(targets):
    """Emergency squawks come up, for several updates of the same aircraft, and are the exception."""
    emergencies = Counter(
        (t["icao_address"], t["squawk"]) for t in targets if t.get("squawk") in {"7500", "7600", "7700"}
    )
    assert emergencies
    assert all(count >= 3 for count in list(emergencies.values())[:-1])
    assert sum(emergencies.values()) < len(targets) * 0.02


@pytest.mark.parametrize(
    "settings", [{}, {"aircraft": 20, "rate": 4}, {"aircraft": 12_000}, {"aircraft": 1, "rate": 1}]
)
def test_an_emergency_that_was_asked_for_comes_in_the_first_seconds(settings):
    """One aircraft squawks 7700 within half a minute of the start, and goes on doing so."""
    rate = settings.get("rate", 50)
    updates = [json.loads(line)["target"] for _, line in _traffic(rate * 30, emergency=True, **settings)]
    address = next(t["icao_address"] for t in updates if t.get("squawk") == "7700")
    of_it = [t for t in updates if t["icao_address"] == address and t["timestamp"] >= START_TEXT]
    assert all(t["squawk"] == "7700" for t in of_it)


def test_steep_descents_happen_in_flight_only(targets):
    """A vertical rate below -6,000 ft/min comes up, in the air, and with the altitude falling."""
    steep = [t for t in targets if t.get("vertical_rate", 0) < -6000]
    assert steep
    assert not any(t.get("on_ground") for t in steep)
    first, last = (
        next(t for t in order if t["icao_address"] == steep[0]["icao_address"]) for order in (steep, reversed(steep))
    )
    assert last["altitude_baro"] < first["altitude_baro"]


def test_ordinary_flight_is_plausible(targets):
    """Altitudes, speeds and rates are an airliner's; on the ground it is slow."""
    for t in targets:
        assert -100 <= t.get("altitude_baro", 0) <= 42_000
        assert -7400 <= t.get("vertical_rate", 0) <= 2200
        assert 0 <= t["speed"] < (30 if t.get("on_ground") else 530)


def test_satellites_are_named(targets):
    """A satellite's update names the satellite, a ground station's says ADSB."""
    for t in targets:
        assert (t["source"] == "ADSB") == (t["collection_type"] == "terrestrial")
        assert t["source"] == "ADSB" or t["source"].startswith("LEMUR-2-")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0}, "rate: got 0"),
        ({"rate": 100, "aircraft": 99}, "aircraft: got 99 .* at least 100"),
        ({"aircraft": 10**6}, "aircraft: got 1000000; the generated fleet has room"),
    ],
)
def test_impossible_traffic_is_refused(settings, message):
    """Too few aircraft for the rate, or more than there are, is an error that says the figure."""
    with pytest.raises(ValueError, match=message):
        GeneratedTraffic(**({"rate": 50, "aircraft": 300, "seed": 7, "start": START} | settings))
