-- The last position of the append that an event belongs to, and when that was recorded.
SELECT last.position, e.recorded_at
FROM stet.event e
JOIN LATERAL (
    SELECT max(l.position) AS position FROM stet.event l
    WHERE l.ledger_id = e.ledger_id AND l.recorded_at = e.recorded_at
) last ON true
WHERE e.ledger_id = %(ledger_id)s AND e.position = %(position)s
