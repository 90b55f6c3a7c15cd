-- The names that the log gives and the table lacks (true), and that the table has beyond them (false).
WITH wanted AS (
    SELECT r.kind, r.id, r.from_position, coalesce(r.to_position, 9223372036854775807) AS to_position,
           array_to_tsvector(r.words) AS words
    FROM json_to_recordset(%(rows)s::json) r(
        kind text, id uuid, from_position bigint, to_position bigint, words text[])
), stored AS (
    SELECT h.kind, h.id, h.from_position, h.to_position, h.words
    FROM stet.name_history h
    WHERE h.ledger_id = %(ledger_id)s AND h.id = ANY (%(ids)s::uuid[])
)
(SELECT true, to_json(w)::text FROM (SELECT * FROM wanted EXCEPT ALL SELECT * FROM stored) w)
UNION ALL
(SELECT false, to_json(s)::text FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM wanted) s)
