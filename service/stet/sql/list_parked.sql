-- The streams that a projection could not take, the first parked first.
SELECT l.name, l.ledger_id, p.stream, p.position, p.error, p.parked_at
FROM stet.parked p
JOIN stet.ledger l USING (ledger_id)
WHERE p.projection = %(projection)s
ORDER BY p.parked_at, p.ledger_id, p.stream
LIMIT 1000
