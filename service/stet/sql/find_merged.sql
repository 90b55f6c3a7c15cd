-- The sources that were merged into one of these, up to a position.
SELECT DISTINCT stream
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND type = 'source-merged' AND position <= %(up_to)s
  AND payload ->> 'into' = ANY (%(ids)s)
