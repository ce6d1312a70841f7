-- Flights: each leg, where and when it took off and landed, and how that is known.
SELECT
    id,
    icao_address,
    callsign,
    departure_airport_icao,
    takeoff_time,
    takeoff_known_by,
    arrival_airport_icao,
    landing_time,
    landing_known_by,
    round(distance_nm, 1) AS distance_nm,
    highest_altitude,
    gaps
FROM flights
WHERE "date" BETWEEN ? AND ?
ORDER BY coalesce(takeoff_time, first_time), id
