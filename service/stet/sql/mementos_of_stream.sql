-- The appends to a stream after a position: of each the last position in the log, and when it was recorded.
SELECT (SELECT max(e.position) FROM stet.event e WHERE e.ledger_id = %(ledger_id)s AND e.recorded_at = its.recorded_at),
       its.recorded_at
FROM (
    SELECT DISTINCT recorded_at
    FROM stet.event
    WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s AND position > %(after)s
    ORDER BY recorded_at
    LIMIT %(limit)s
) its
ORDER BY its.recorded_at
