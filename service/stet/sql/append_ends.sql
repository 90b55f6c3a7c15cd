-- The last positions of some appends, by when they were recorded.
SELECT max(position), recorded_at
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND recorded_at = ANY (%(moments)s)
GROUP BY recorded_at
ORDER BY recorded_at
