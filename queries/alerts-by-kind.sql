-- Alerts by kind: how many alerts each rule sent, about how many aircraft, and from when to when.
WITH sent AS (
    SELECT rule, CASE WHEN rule = 'emergency_squawk' THEN squawk END AS code, icao_address, "at" AS moment
    FROM alerts
    WHERE "date" BETWEEN ? AND ?
)

SELECT
    rule,
    code AS squawk,
    count(*) AS alerts,
    count(DISTINCT icao_address) AS aircraft,
    min(moment) AS first_at,
    max(moment) AS last_at
FROM sent
GROUP BY rule, code
ORDER BY count(*) DESC, rule, code
