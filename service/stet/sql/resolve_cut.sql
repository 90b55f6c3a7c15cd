-- The head of a log, and the last position at or before an instant (null: the head), within what was seen of it.
SELECT h.position, h.recorded_at, at.position, at.recorded_at
FROM stet.head h
LEFT JOIN LATERAL (
    SELECT e.position, e.recorded_at
    FROM stet.event e
    WHERE e.ledger_id = h.ledger_id AND e.recorded_at <= %(instant)s::timestamptz
      AND (%(seen)s::bigint IS NULL OR e.position <= %(seen)s)
    ORDER BY e.recorded_at DESC, e.position DESC
    LIMIT 1
) at ON true
WHERE h.ledger_id = %(ledger_id)s
