-- The live slices of some incidents, as audiences see them, that end at a said time or later, and begin until another,
-- in order.
SELECT h.incident_id, h.audience, h.said_from = 'infinity', nullif(h.said_from, 'infinity'),
       nullif(h.said_to, 'infinity'), h.summary::text
FROM unnest(%(incident_ids)s::uuid[], %(audiences)s::text[], %(sinces)s::timestamptz[],
            %(untils)s::timestamptz[]) wanted(incident_id, audience, since, until)
JOIN stet.incident_history h
  ON h.ledger_id = %(ledger_id)s AND h.incident_id = wanted.incident_id
 AND h.audience = wanted.audience COLLATE "C" AND h.said_to >= wanted.since
 AND (wanted.until IS NULL OR h.said_from <= wanted.until)
WHERE h.to_position = 9223372036854775807
ORDER BY h.incident_id, h.audience, h.said_from
