-- A page of incidents at a cut, by their last events: the log is walked, and each incident is met at its last event.
SELECT h.incident_id, h.opened_at, h.summary::text, e.stream_version, e.recorded_at, e.position::text
FROM (
    SELECT l.position, l.stream_version, l.recorded_at, substr(l.stream, 10)::uuid AS incident_id
    FROM stet.event l
    WHERE l.ledger_id = %(ledger_id)s AND l.position <= %(position)s AND l.stream LIKE 'incident:%%'
      AND NOT EXISTS (
          SELECT FROM stet.event later
          WHERE later.ledger_id = %(ledger_id)s AND later.stream = l.stream
            AND later.stream_version > l.stream_version AND later.position <= %(position)s)
    ORDER BY l.position {direction}
) e
JOIN stet.incident_history h ON h.ledger_id = %(ledger_id)s AND h.incident_id = e.incident_id
WHERE {filters}
ORDER BY e.position {direction}
LIMIT %(limit)s
