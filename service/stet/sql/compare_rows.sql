-- The rows of some streams that the log gives and a projection's table lacks (true), or that it has beyond them (false).
WITH wanted AS (
    SELECT to_json(r)::text AS row FROM json_populate_recordset(NULL::{table}, %(rows)s::json) r
), stored AS (
    SELECT to_json(h)::text AS row FROM {table} h
    WHERE h.ledger_id = %(ledger_id)s AND h.{id} = ANY (%(ids)s::uuid[])
)
(SELECT true, w.row FROM (SELECT row FROM wanted EXCEPT ALL SELECT row FROM stored) w)
UNION ALL
(SELECT false, s.row FROM (SELECT row FROM stored EXCEPT ALL SELECT row FROM wanted) s)
LIMIT %(limit)s
