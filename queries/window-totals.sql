-- Window totals against updates: whether the window rows count what the archive holds, in all and by aircraft.
-- The first two lines are the sums; then come the aircraft whose counts differ. A positive difference is missing from
-- the archive or counted twice, a negative one is missing from the windows. At the edges of the days asked for, the
-- windows are those delivered in them, and a few updates lie on one side alone.
WITH archived AS (
    SELECT icao_address, count(*) AS updates
    FROM updates
    WHERE "date" BETWEEN ? AND ?
    GROUP BY icao_address
),

rows_of_windows AS (
    SELECT kind, icao_address, updates
    FROM windows
    WHERE "date" BETWEEN ? AND ?
),

counted AS (
    SELECT icao_address, CAST(sum(updates) AS bigint) AS updates
    FROM rows_of_windows
    WHERE kind = 'aircraft'
    GROUP BY icao_address
),

by_aircraft AS (
    SELECT
        coalesce(archived.icao_address, counted.icao_address) AS icao_address,
        coalesce(archived.updates, 0) AS in_archive,
        coalesce(counted.updates, 0) AS in_windows
    FROM archived
    FULL JOIN counted ON archived.icao_address = counted.icao_address
),

lines AS (
    SELECT
        0 AS place,
        'all, by aircraft rows' AS aircraft,
        CAST(sum(in_archive) AS bigint) AS in_archive,
        CAST(sum(in_windows) AS bigint) AS in_windows
    FROM by_aircraft
    UNION ALL
    SELECT
        1 AS place,
        'all, by totals rows' AS aircraft,
        (SELECT CAST(sum(updates) AS bigint) FROM archived) AS in_archive,
        (SELECT CAST(sum(updates) AS bigint) FROM rows_of_windows WHERE kind = 'totals') AS in_windows
    UNION ALL
    SELECT 2 AS place, icao_address AS aircraft, in_archive, in_windows
    FROM by_aircraft
    WHERE in_archive <> in_windows
)

SELECT aircraft, in_archive, in_windows, in_windows - in_archive AS difference
FROM lines
ORDER BY place, abs(in_windows - in_archive) DESC, aircraft
