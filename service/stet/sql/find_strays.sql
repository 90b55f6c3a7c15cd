-- Rows of a projection's table that belong to no stream of the log.
SELECT DISTINCT h.{id}
FROM {table} h
WHERE h.ledger_id = %(ledger_id)s AND NOT EXISTS (
    SELECT FROM stet.event e WHERE e.ledger_id = h.ledger_id AND e.stream = {kind} || ':' || h.{id})
ORDER BY h.{id}
LIMIT %(limit)s
