-- The streams of one kind, in the order in which they began.
SELECT stream, position
FROM stet.first_event
WHERE ledger_id = %(ledger_id)s AND kind = %(kind)s
  AND position > %(after)s AND position <= %(up_to)s
ORDER BY position
LIMIT %(limit)s
