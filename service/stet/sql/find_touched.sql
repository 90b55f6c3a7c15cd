-- The streams of some kinds with events in a range of positions.
SELECT DISTINCT stream
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND position > %(after)s AND position <= %(up_to)s
  AND split_part(stream, ':', 1) = ANY (%(kinds)s)
