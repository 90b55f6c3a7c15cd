-- Adds slices of incidents.
INSERT INTO stet.incident_history (
    ledger_id, incident_id, audience, from_position, to_position, said_from, said_to, opened_at,
    title, title_order, kind, status, tags, occurred_from, occurred_to, occurred_order, longitude, latitude, radius_m,
    killed_min, killed_max, injured_min, injured_max, missing_min, missing_max, detained_min, detained_max,
    statuses, words, summary)
SELECT %(ledger_id)s, r.incident_id, %(audience)s, r.from_position, coalesce(r.to_position, 9223372036854775807),
       r.said_from, r.said_to, r.opened_at,
       r.title, r.title_order, r.kind, r.status, r.tags, r.occurred_from, r.occurred_to, r.occurred_order,
       r.longitude, r.latitude, r.radius_m,
       r.killed_min, r.killed_max, r.injured_min, r.injured_max, r.missing_min, r.missing_max,
       r.detained_min, r.detained_max, r.statuses, array_to_tsvector(r.words), r.summary
FROM json_to_recordset(%(rows)s::json) r(
    incident_id uuid, from_position bigint, to_position bigint, said_from timestamptz, said_to timestamptz,
    opened_at timestamptz, title text, title_order text, kind text, status text, tags text[],
    occurred_from timestamptz, occurred_to timestamptz, occurred_order timestamptz,
    longitude float8, latitude float8, radius_m float8,
    killed_min bigint, killed_max bigint, injured_min bigint, injured_max bigint, missing_min bigint,
    missing_max bigint, detained_min bigint, detained_max bigint, statuses text[], words text[], summary json)
