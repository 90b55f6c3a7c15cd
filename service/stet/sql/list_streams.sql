-- The streams of one kind, in the order in which they began.
SELECT stream, position
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream_version = 1 AND split_part(stream, ':', 1) = %(kind)s
  AND position > %(after)s AND position <= %(up_to)s
ORDER BY position
LIMIT %(limit)s
