-- Those of some streams that say something about who may see what.
SELECT DISTINCT stream
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = ANY (%(streams)s)
  AND type IN ('visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected', 'redaction-proposed')
