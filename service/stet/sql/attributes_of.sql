-- The attributes of some statements at a position, and of the version of their record that ended there.
SELECT wanted.incident_id, wanted.position, h.attributes
FROM unnest(%(incident_ids)s::uuid[], %(statement_ids)s::uuid[], %(positions)s::bigint[])
    wanted(incident_id, statement_id, position)
JOIN stet.statement_history h
  ON h.ledger_id = %(ledger_id)s AND h.incident_id = wanted.incident_id AND h.statement_id = wanted.statement_id
WHERE h.audience IN ('all', %(audience)s) AND h.from_position <= wanted.position AND h.to_position >= wanted.position
