-- How far a projection is in each log, the farthest behind first.
SELECT l.name, h.position, coalesce(c.position, 0),
       coalesce(extract(epoch FROM clock_timestamp() - (
           SELECT e.recorded_at FROM stet.event e
           WHERE e.ledger_id = h.ledger_id AND e.position = coalesce(c.position, 0) + 1))::float8, 0)
FROM stet.head h
JOIN stet.ledger l USING (ledger_id)
LEFT JOIN stet.checkpoint c ON c.projection = %(projection)s AND c.ledger_id = h.ledger_id
ORDER BY h.position - coalesce(c.position, 0) DESC, l.name
LIMIT 1000
