-- Busiest aircraft: which twenty sent the most updates, as what, and from when to when.
SELECT
    icao_address,
    max(tail_number) AS tail_number,
    max(aircraft_type_icao) AS aircraft_type_icao,
    count(*) AS updates,
    count(DISTINCT callsign) AS callsigns,
    min("timestamp") AS first_timestamp,
    max("timestamp") AS last_timestamp
FROM updates
WHERE "date" BETWEEN ? AND ?
GROUP BY icao_address
ORDER BY count(*) DESC, icao_address
LIMIT 20
