-- The sources or documents, as an audience sees them, whose names at a position have all words of a query, in the order in which they began.
SELECT e.stream, e.position
FROM stet.name_search n
JOIN stet.first_event e ON e.ledger_id = n.ledger_id AND e.stream = n.kind || ':' || n.id
WHERE n.ledger_id = %(ledger_id)s AND n.kind = %(kind)s AND n.words @@ %(q)s::tsquery
  AND n.from_position <= %(up_to)s AND n.to_position > %(up_to)s AND e.position > %(after)s
  AND (%(audience)s = 'member' OR NOT EXISTS (
      SELECT FROM stet.restriction_history r
      WHERE r.ledger_id = n.ledger_id AND r.kind = n.kind AND r.id = n.id
        AND r.statement_id = '00000000-0000-0000-0000-000000000000' AND r.to_position = 9223372036854775807))
  AND e.stream NOT IN (
      SELECT m.stream
      FROM stet.event m
      WHERE m.ledger_id = %(ledger_id)s AND m.type = 'source-merged' AND m.position <= %(up_to)s)
ORDER BY e.position
LIMIT %(limit)s
