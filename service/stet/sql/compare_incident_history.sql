-- The rows of one incident that the log gives and the table lacks (true), and that the table has beyond them (false).
WITH wanted AS (
    SELECT r.incident_id, r.from_position, coalesce(r.to_position, 9223372036854775807) AS to_position,
           r.said_from, r.said_to, r.opened_at, r.title, r.title_order, r.kind, r.status, r.tags,
           r.occurred_from, r.occurred_to, r.occurred_order, r.longitude, r.latitude, r.radius_m,
           r.killed_min, r.killed_max, r.injured_min, r.injured_max, r.missing_min, r.missing_max,
           r.detained_min, r.detained_max, r.statuses, array_to_tsvector(r.words) AS words, r.summary::jsonb AS summary
    FROM json_to_recordset(%(rows)s::json) r(
        incident_id uuid, from_position bigint, to_position bigint, said_from timestamptz, said_to timestamptz,
        opened_at timestamptz, title text, title_order text, kind text, status text, tags text[],
        occurred_from timestamptz, occurred_to timestamptz, occurred_order timestamptz,
        longitude float8, latitude float8, radius_m float8,
        killed_min bigint, killed_max bigint, injured_min bigint, injured_max bigint, missing_min bigint,
        missing_max bigint, detained_min bigint, detained_max bigint, statuses text[], words text[], summary json)
), stored AS (
    SELECT h.incident_id, h.from_position, h.to_position, h.said_from, h.said_to, h.opened_at,
           h.title, h.title_order, h.kind, h.status, h.tags,
           h.occurred_from, h.occurred_to, h.occurred_order, h.longitude, h.latitude, h.radius_m,
           h.killed_min, h.killed_max, h.injured_min, h.injured_max, h.missing_min, h.missing_max,
           h.detained_min, h.detained_max, h.statuses, h.words, h.summary::jsonb AS summary
    FROM stet.incident_history h
    WHERE h.ledger_id = %(ledger_id)s AND h.incident_id = ANY (%(ids)s::uuid[]) AND h.audience = %(audience)s
)
(SELECT true, to_json(w)::text FROM (SELECT * FROM wanted EXCEPT ALL SELECT * FROM stored) w)
UNION ALL
(SELECT false, to_json(s)::text FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM wanted) s)
