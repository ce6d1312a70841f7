-- Airport movements: how many take-offs and landings each airport had, by the provider's word.
-- A movement counts once, however many updates speak of it, and only on the days that have updates: in the air are
-- aircraft that took off the day before.
WITH reported AS (
    SELECT
        "date",
        icao_address,
        departure_airport_icao,
        takeoff_time,
        arrival_airport_icao,
        landing_time
    FROM updates
    WHERE "date" BETWEEN ? AND ?
),

movements AS (
    SELECT departure_airport_icao AS airport, icao_address, takeoff_time AS moved_at, 1 AS takeoffs, 0 AS landings
    FROM reported
    UNION
    SELECT arrival_airport_icao AS airport, icao_address, landing_time AS moved_at, 0 AS takeoffs, 1 AS landings
    FROM reported
)

SELECT
    airport,
    CAST(sum(takeoffs) AS bigint) AS takeoffs,
    CAST(sum(landings) AS bigint) AS landings
FROM movements
WHERE
    airport IS NOT NULL
    AND CAST(moved_at AS date) >= (SELECT CAST(min("date") AS date) FROM reported)
    AND CAST(moved_at AS date) <= (SELECT CAST(max("date") AS date) FROM reported)
GROUP BY airport
ORDER BY count(*) DESC, airport
