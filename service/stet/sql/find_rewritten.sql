-- The streams of some kinds with events after a position, and with any that said who may see something.
SELECT told.stream
FROM (
    SELECT DISTINCT e.stream
    FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s
      AND e.type IN ('visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected')
      AND split_part(e.stream, ':', 1) = ANY (%(kinds)s)
) told
WHERE EXISTS (
    SELECT FROM stet.event later
    WHERE later.ledger_id = %(ledger_id)s AND later.stream = told.stream AND later.position > %(position)s)
ORDER BY told.stream
