-- Ends live versions of statements at a position.
UPDATE stet.statement_history h SET to_position = closed.position
FROM json_to_recordset(%(rows)s::json) closed(incident_id uuid, statement_id uuid, position bigint)
WHERE h.ledger_id = %(ledger_id)s AND h.incident_id = closed.incident_id AND h.statement_id = closed.statement_id
  AND h.audience = %(audience)s AND h.to_position = 9223372036854775807
