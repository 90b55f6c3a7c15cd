-- Statements that wait for review at a position, in the order in which they were proposed; one about several incidents
-- by the first of them.
SELECT e.position, e.stream, (e.payload->'statement'->>'statement_id')::uuid
FROM stet.event e
WHERE e.ledger_id = %(ledger_id)s AND e.type = 'statement-proposed'
  AND e.position > %(after)s AND e.position <= %(up_to)s
  AND e.stream = 'incident:' || (e.payload->'statement'->'incidents'->>0)
  AND NOT EXISTS (
      SELECT FROM stet.event r
      WHERE r.ledger_id = e.ledger_id AND r.stream = e.stream AND r.position > e.position AND r.position <= %(up_to)s
        AND coalesce(r.payload->>'statement_id', r.payload->'statement'->>'statement_id')
            = e.payload->'statement'->>'statement_id'
        AND r.type IN ('statement-accepted', 'statement-rejected'))
ORDER BY e.position
LIMIT %(limit)s
