-- The streams of one kind that an audience sees, in the order in which they began, without sources that are others.
SELECT e.stream, e.position
FROM stet.first_event e
WHERE e.ledger_id = %(ledger_id)s AND e.kind = %(kind)s
  AND e.position > %(after)s AND e.position <= %(up_to)s
  AND (%(audience)s = 'member' OR NOT EXISTS (
      SELECT FROM stet.restriction_history r
      WHERE r.ledger_id = e.ledger_id AND r.kind = %(kind)s AND r.id = split_part(e.stream, ':', 2)::uuid
        AND r.statement_id = '00000000-0000-0000-0000-000000000000' AND r.to_position = 9223372036854775807))
  AND e.stream NOT IN (
      SELECT m.stream
      FROM stet.event m
      WHERE m.ledger_id = %(ledger_id)s AND m.type = 'source-merged' AND m.position <= %(up_to)s)
ORDER BY e.position
LIMIT %(limit)s
