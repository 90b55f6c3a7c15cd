-- The last event that proves a stream up to a position, but for what is hidden: what was erased of it later is proven by what erased it.
SELECT max(position) FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s AND position <> ALL (%(hidden)s::bigint[])
  AND (position <= %(up_to)s OR type = 'payload-redacted')
