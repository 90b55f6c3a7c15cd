-- The rows of a ledger at a position that one table of a projection has (true) and another lacks, and the other way round.
WITH live AS (
    SELECT {object}::text AS row FROM {table} h
    WHERE h.ledger_id = %(ledger_id)s AND h.from_position <= %(position)s AND h.{id} <> ALL (%(apart)s::uuid[]) {some}
), built AS (
    SELECT {object}::text AS row FROM {other} h
    WHERE h.ledger_id = %(ledger_id)s AND h.from_position <= %(position)s AND h.{id} <> ALL (%(apart)s::uuid[]) {some}
)
(SELECT true, l.row FROM (SELECT row FROM live EXCEPT ALL SELECT row FROM built) l LIMIT %(limit)s)
UNION ALL
(SELECT false, b.row FROM (SELECT row FROM built EXCEPT ALL SELECT row FROM live) b LIMIT %(limit)s)
