-- The appends to a log around a position: of each the last position, and when it was recorded.
WITH shown AS (
    SELECT recorded_at FROM stet.event WHERE ledger_id = %(ledger_id)s AND position = %(position)s
)
SELECT around.relation,
       (SELECT max(e.position) FROM stet.event e
        WHERE e.ledger_id = %(ledger_id)s AND e.recorded_at = around.recorded_at),
       around.recorded_at
FROM (
    SELECT 'first' AS relation, recorded_at FROM stet.event WHERE ledger_id = %(ledger_id)s AND position = 1
    UNION ALL
    (SELECT 'prev', e.recorded_at FROM stet.event e
     WHERE e.ledger_id = %(ledger_id)s AND e.recorded_at < (SELECT recorded_at FROM shown)
     ORDER BY e.recorded_at DESC LIMIT 1)
    UNION ALL
    SELECT 'shown', recorded_at FROM shown
    UNION ALL
    (SELECT 'next', e.recorded_at FROM stet.event e
     WHERE e.ledger_id = %(ledger_id)s AND e.recorded_at > (SELECT recorded_at FROM shown)
     ORDER BY e.recorded_at LIMIT 1)
    UNION ALL
    SELECT 'last', recorded_at FROM stet.head WHERE ledger_id = %(ledger_id)s
) around
