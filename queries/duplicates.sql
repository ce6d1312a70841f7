-- Duplicates check: whether an update or a window row is there twice, which the archive and the view windows rule out.
-- Several updates of one aircraft and moment are no duplicates while their ingestion times differ: a satellite and a
-- ground station heard the same. Window rows are delivered again when a delivery's answer was lost.
WITH update_keys AS (
    SELECT icao_address, "timestamp", ingestion_time, count(*) AS copies
    FROM updates
    WHERE "date" BETWEEN ? AND ?
    GROUP BY icao_address, "timestamp", ingestion_time
),

moments AS (
    SELECT icao_address, "timestamp", count(*) AS ingestion_times
    FROM update_keys
    GROUP BY icao_address, "timestamp"
),

row_keys AS (
    SELECT kind, window_start, shard_id, part, icao_address, count(*) AS copies
    FROM windows
    WHERE "date" BETWEEN ? AND ?
    GROUP BY kind, window_start, shard_id, part, icao_address
),

delivered_keys AS (
    SELECT kind, window_start, shard_id, part, icao_address, count(*) AS copies
    FROM windows_delivered
    WHERE "date" BETWEEN ? AND ?
    GROUP BY kind, window_start, shard_id, part, icao_address
)

SELECT 'updates' AS checked, coalesce(CAST(sum(copies) AS bigint), 0) AS entries, count(*) AS distinct_entries
FROM update_keys
UNION ALL
SELECT 'updates, by aircraft and timestamp alone', coalesce(CAST(sum(ingestion_times) AS bigint), 0), count(*)
FROM moments
UNION ALL
SELECT 'window rows', coalesce(CAST(sum(copies) AS bigint), 0), count(*)
FROM row_keys
UNION ALL
SELECT 'window rows, as delivered', coalesce(CAST(sum(copies) AS bigint), 0), count(*)
FROM delivered_keys
ORDER BY checked
