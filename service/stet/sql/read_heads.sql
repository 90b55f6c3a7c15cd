-- Every ledger and the head of its log; no position: it has none, no recorded_at: its log is empty.
SELECT l.ledger_id, l.name, h.position, nullif(h.recorded_at, '-infinity')
FROM stet.ledger l
LEFT JOIN stet.head h ON h.ledger_id = l.ledger_id
WHERE %(name)s::text IS NULL OR l.name = %(name)s
ORDER BY l.name
