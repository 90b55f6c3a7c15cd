-- A page of incidents at a cut, by their last events: the log is walked, and each incident is met at its last event.
SELECT h.incident_id, h.opened_at, h.summary::text, e.stream_version, e.recorded_at, e.position::text
FROM stet.event e
JOIN stet.incident_history h
  ON h.ledger_id = e.ledger_id AND h.incident_id = substr(e.stream, 10)::uuid
WHERE e.ledger_id = %(ledger_id)s AND e.position <= %(position)s AND e.stream LIKE 'incident:%%'
  AND NOT EXISTS (
      SELECT FROM stet.event later
      WHERE later.ledger_id = e.ledger_id AND later.stream = e.stream
        AND later.stream_version = e.stream_version + 1 AND later.position <= %(position)s)
  AND {filters}
ORDER BY e.position {direction}
LIMIT %(limit)s
