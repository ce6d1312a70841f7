-- Window rows, each once: of rows delivered again the later one, of a window that was rebuilt the newest rebuild alone,
-- whatever the shard. The kind replaced is a mark in the folder of a day that has older rows of such a window.
-- "date" is among what tells rows apart so that a query for some days reads these days' objects only.
SELECT {columns}
FROM (
    SELECT
        delivered.*,
        row_number() OVER (
            PARTITION BY "date", kind, window_start, shard_id, part, icao_address
            ORDER BY coalesce(rebuilt_at, '') DESC, "$path" DESC
        ) AS copy,
        max(coalesce(rebuilt_at, '')) OVER (PARTITION BY "date", window_start) AS newest_rebuild
    FROM windows_delivered AS delivered
) AS ranked
WHERE copy = 1 AND coalesce(rebuilt_at, '') = newest_rebuild AND kind <> 'replaced'
