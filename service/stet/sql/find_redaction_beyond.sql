-- The first event up to a position that was redacted by one beyond it, and that; and whether any up to it is redacted.
SELECT min(position) FILTER (WHERE redacted_by > %(up_to)s), min(redacted_by) FILTER (WHERE redacted_by > %(up_to)s),
       count(*) > 0
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND position <= %(up_to)s AND redacted_by IS NOT NULL
