-- The appends to a log after a position: of each the last position, and when it was recorded.
SELECT max(position), recorded_at
FROM stet.event
WHERE ledger_id = %(ledger_id)s
  AND recorded_at > (
      SELECT coalesce(max(e.recorded_at), '-infinity')
      FROM stet.event e WHERE e.ledger_id = %(ledger_id)s AND e.position = %(after)s)
GROUP BY recorded_at
ORDER BY recorded_at
LIMIT %(limit)s
