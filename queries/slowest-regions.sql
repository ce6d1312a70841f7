-- Slowest regions: where updates took longest from the aircraft to the provider, by cells of five degrees.
-- The corner is the south-west one; a cell needs ten updates to count.
WITH delays AS (
    SELECT
        CAST(floor(latitude / 5e0) * 5 AS integer) AS south,
        CAST(floor(longitude / 5e0) * 5 AS integer) AS west,
        date_diff('millisecond', "timestamp", ingestion_time) / 1e3 AS seconds,
        CASE WHEN collection_type = 'satellite' THEN 1e0 ELSE 0e0 END AS by_satellite
    FROM updates
    WHERE
        "date" BETWEEN ? AND ?
        AND latitude IS NOT NULL
        AND longitude IS NOT NULL
        AND ingestion_time IS NOT NULL
)

SELECT
    south,
    west,
    count(*) AS updates,
    round(avg(seconds), 3) AS mean_seconds,
    max(seconds) AS longest_seconds,
    round(avg(by_satellite), 3) AS share_by_satellite
FROM delays
GROUP BY south, west
HAVING count(*) >= 10
ORDER BY avg(seconds) DESC, south, west
LIMIT 50
