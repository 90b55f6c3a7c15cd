-- The appends to a stream around a position: of each the last position in the log, and when it was recorded.
WITH shown AS (
    SELECT stream_version, recorded_at
    FROM stet.event
    WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s AND position <= %(position)s
    ORDER BY stream_version DESC
    LIMIT 1
)
SELECT around.relation,
       (SELECT max(e.position) FROM stet.event e
        WHERE e.ledger_id = %(ledger_id)s AND e.recorded_at = around.recorded_at),
       around.recorded_at
FROM (
    SELECT 'first' AS relation, recorded_at FROM stet.event
    WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s AND stream_version = 1
    UNION ALL
    (SELECT 'prev', e.recorded_at FROM stet.event e, shown
     WHERE e.ledger_id = %(ledger_id)s AND e.stream = %(stream)s AND e.stream_version < shown.stream_version
       AND e.recorded_at < shown.recorded_at
     ORDER BY e.stream_version DESC LIMIT 1)
    UNION ALL
    SELECT 'shown', recorded_at FROM shown
    UNION ALL
    SELECT 'next', e.recorded_at FROM stet.event e, shown
    WHERE e.ledger_id = %(ledger_id)s AND e.stream = %(stream)s AND e.stream_version = shown.stream_version + 1
    UNION ALL
    (SELECT 'last', recorded_at FROM stet.event
     WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s
     ORDER BY stream_version DESC LIMIT 1)
) around
