-- The list's item of some incidents, each as of a position, with everything that was said, as an audience sees it.
-- An incident has rows for all, or such for each audience: two look-ups find the last one as an index has it.
SELECT wanted.incident_id, wanted.position, h.opened_at, h.summary::text
FROM unnest(%(ids)s::uuid[], %(positions)s::bigint[]) wanted(incident_id, position)
CROSS JOIN LATERAL (
    (SELECT s.opened_at, s.summary, s.to_position
     FROM stet.incident_history s
     WHERE s.ledger_id = %(ledger_id)s AND s.incident_id = wanted.incident_id AND s.audience = 'all'
       AND s.said_to = 'infinity' AND s.from_position <= wanted.position
     ORDER BY s.from_position DESC
     LIMIT 1)
    UNION ALL
    (SELECT s.opened_at, s.summary, s.to_position
     FROM stet.incident_history s
     WHERE s.ledger_id = %(ledger_id)s AND s.incident_id = wanted.incident_id AND s.audience = %(audience)s
       AND s.said_to = 'infinity' AND s.from_position <= wanted.position
     ORDER BY s.from_position DESC
     LIMIT 1)
) h
WHERE h.to_position > wanted.position
