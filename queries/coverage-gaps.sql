-- Coverage gaps: where aircraft in the air were not heard for more than five minutes, the longest first.
-- Both ends of a gap have the same callsign, so that the time between two flights is not one.
WITH in_order AS (
    SELECT
        icao_address,
        callsign,
        "timestamp" AS heard_again,
        latitude,
        longitude,
        altitude_baro,
        on_ground,
        lag("timestamp") OVER (PARTITION BY icao_address ORDER BY "timestamp", ingestion_time) AS last_heard,
        lag(callsign) OVER (PARTITION BY icao_address ORDER BY "timestamp", ingestion_time) AS callsign_before,
        lag(latitude) OVER (PARTITION BY icao_address ORDER BY "timestamp", ingestion_time) AS latitude_before,
        lag(longitude) OVER (PARTITION BY icao_address ORDER BY "timestamp", ingestion_time) AS longitude_before,
        lag(on_ground) OVER (PARTITION BY icao_address ORDER BY "timestamp", ingestion_time) AS on_ground_before
    FROM updates
    WHERE "date" BETWEEN ? AND ?
)

SELECT
    icao_address,
    callsign,
    round(date_diff('millisecond', last_heard, heard_again) / 6e4, 2) AS minutes,
    last_heard,
    latitude_before,
    longitude_before,
    heard_again,
    latitude,
    longitude,
    altitude_baro
FROM in_order
WHERE
    date_diff('millisecond', last_heard, heard_again) > 300000
    AND callsign = callsign_before
    AND coalesce(on_ground, false) = false
    AND coalesce(on_ground_before, false) = false
ORDER BY date_diff('millisecond', last_heard, heard_again) DESC, icao_address, heard_again
LIMIT 100
