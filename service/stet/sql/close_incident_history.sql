-- Ends live slices of incidents at a position.
UPDATE stet.incident_history h SET to_position = closed.position
FROM json_to_recordset(%(rows)s::json) closed(incident_id uuid, said_from timestamptz, position bigint)
WHERE h.ledger_id = %(ledger_id)s AND h.incident_id = closed.incident_id AND h.audience = %(audience)s
  AND h.said_from = closed.said_from AND h.to_position = 9223372036854775807
