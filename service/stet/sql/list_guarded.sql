-- A page of the streams of a log that say something about who may see what.
SELECT DISTINCT stream
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream > %(after)s
  AND type IN ('visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected', 'redaction-proposed')
ORDER BY stream
LIMIT %(limit)s
