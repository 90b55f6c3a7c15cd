-- The incidents with a record of a source, and with audiences that may be others than a projection knows; is it parked?
SELECT told.stream, parked.stream IS NOT NULL
FROM (
    SELECT DISTINCT e.stream
    FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s
      AND e.type IN ('visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected', 'redaction-proposed')
) told
LEFT JOIN stet.parked
  ON parked.projection = 'source_record' AND parked.ledger_id = %(ledger_id)s AND parked.stream = told.stream
WHERE EXISTS (
    SELECT FROM stet.source_record r
    WHERE r.ledger_id = %(ledger_id)s AND r.source_id = %(source_id)s AND told.stream = 'incident:' || r.incident_id)
  AND (parked.stream IS NOT NULL OR EXISTS (
    SELECT FROM stet.event later
    WHERE later.ledger_id = %(ledger_id)s AND later.stream = told.stream AND later.position > %(reached)s))
