-- The end of the last append that lies whole at or before a position, which the log goes beyond.
SELECT coalesce((
    SELECT e.position
    FROM stet.event e
    WHERE e.ledger_id = following.ledger_id AND e.position <= %(position)s AND e.recorded_at < following.recorded_at
    ORDER BY e.position DESC
    LIMIT 1
), 0)
FROM stet.event following
WHERE following.ledger_id = %(ledger_id)s AND following.position = %(position)s + 1
