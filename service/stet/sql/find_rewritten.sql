-- The streams with events after a position that ever said who may see something: any may change all of their rows.
SELECT touched.stream
FROM (
    SELECT DISTINCT e.stream
    FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s AND e.position > %(position)s AND split_part(e.stream, ':', 1) = ANY (%(kinds)s)
) touched
WHERE EXISTS (
    SELECT FROM stet.event said
    WHERE said.ledger_id = %(ledger_id)s AND said.stream = touched.stream AND said.type = ANY (%(types)s))
ORDER BY touched.stream
