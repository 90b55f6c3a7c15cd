-- The versions of statements that the log gives and the table lacks (true), and that the table has beyond them (false).
WITH wanted AS (
    SELECT r.incident_id, r.statement_id, r.from_position, coalesce(r.to_position, 9223372036854775807) AS to_position,
           r.statement_position, r.said_earliest, r.said_latest, r.speaker, r.relays, r.reporters, r.channel,
           r.attributes, r.acts, r.retracts, array_to_tsvector(r.words) AS words
    FROM json_to_recordset(%(rows)s::json) r(
        incident_id uuid, statement_id uuid, from_position bigint, to_position bigint, statement_position bigint,
        said_earliest timestamptz, said_latest timestamptz, speaker uuid, relays uuid[], reporters uuid[],
        channel text, attributes text[], acts text[], retracts uuid, words text[])
), stored AS (
    SELECT h.incident_id, h.statement_id, h.from_position, h.to_position, h.statement_position,
           h.said_earliest, h.said_latest, h.speaker, h.relays, h.reporters, h.channel, h.attributes, h.acts,
           h.retracts, h.words
    FROM stet.statement_history h
    WHERE h.ledger_id = %(ledger_id)s AND h.incident_id = ANY (%(ids)s::uuid[]) AND h.audience = %(audience)s
)
(SELECT true, to_json(w)::text FROM (SELECT * FROM wanted EXCEPT ALL SELECT * FROM stored) w)
UNION ALL
(SELECT false, to_json(s)::text FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM wanted) s)
