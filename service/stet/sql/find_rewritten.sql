-- The streams of some kinds with events after a position, and with any that may have rows written anew: where rows are
-- those of audiences what said who may see something, and in any case a redaction.
SELECT told.stream
FROM (
    SELECT e.stream
    FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s AND %(split)s
      AND e.type IN (
        'visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected', 'redaction-proposed')
      AND split_part(e.stream, ':', 1) = ANY (%(kinds)s)
    UNION
    SELECT e.stream
    FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s AND e.type = 'payload-redacted'
      AND split_part(e.stream, ':', 1) = ANY (%(kinds)s)
) told
WHERE EXISTS (
    SELECT FROM stet.event later
    WHERE later.ledger_id = %(ledger_id)s AND later.stream = told.stream AND later.position > %(position)s)
ORDER BY told.stream
