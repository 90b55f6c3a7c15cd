-- Every ledger and the head of its log.
SELECT l.ledger_id, l.name, h.position, h.recorded_at
FROM stet.ledger l
JOIN stet.head h ON h.ledger_id = l.ledger_id
WHERE %(name)s::text IS NULL OR l.name = %(name)s
ORDER BY l.name
