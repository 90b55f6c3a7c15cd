-- A page of incidents at a cut, by the last of their events that the public sees: the log is walked, and each incident
-- is met at its last event; one of which less is seen than there is, where the last of that was recorded.
SELECT incident_id, opened_at, summary, version, updated_at, position::text
FROM (
    (SELECT h.incident_id, h.opened_at, h.summary::text, e.stream_version AS version, e.recorded_at AS updated_at,
            e.position
     FROM stet.event e
     JOIN stet.incident_history h
       ON h.ledger_id = e.ledger_id AND h.incident_id = substr(e.stream, 10)::uuid
     WHERE e.ledger_id = %(ledger_id)s AND e.position <= %(position)s AND e.stream LIKE 'incident:%%'
       AND NOT EXISTS (
           SELECT FROM stet.event later
           WHERE later.ledger_id = e.ledger_id AND later.stream = e.stream
             AND later.stream_version = e.stream_version + 1 AND later.position <= %(position)s)
       AND NOT EXISTS (
           SELECT FROM stet.shown_history s
           WHERE s.ledger_id = e.ledger_id AND s.incident_id = substr(e.stream, 10)::uuid)
       AND {filters}
     ORDER BY e.position {direction}
     LIMIT %(limit)s)
    UNION ALL
    (SELECT h.incident_id, h.opened_at, h.summary::text, e.version, e.updated_at, e.position
     FROM (
         SELECT s.ledger_id, s.incident_id, s.version, s.updated_at, s.from_position AS position
         FROM stet.shown_history s
         WHERE s.ledger_id = %(ledger_id)s AND s.from_position <= %(position)s AND s.to_position > %(position)s
     ) e
     JOIN stet.incident_history h ON h.ledger_id = e.ledger_id AND h.incident_id = e.incident_id
     WHERE {filters}
     ORDER BY e.position {direction}
     LIMIT %(limit)s)
) met
ORDER BY met.position {direction}
LIMIT %(limit)s
