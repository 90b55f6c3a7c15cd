-- Ends what sources and documents were called, at a position.
UPDATE stet.name_history h SET to_position = closed.position
FROM json_to_recordset(%(rows)s::json) closed(kind text, id uuid, position bigint)
WHERE h.ledger_id = %(ledger_id)s AND h.kind = closed.kind AND h.id = closed.id
  AND h.to_position = 9223372036854775807
