-- How many answers are kept of the writes up to a position.
SELECT count(*) FROM stet.idempotency WHERE ledger_id = %(ledger_id)s AND position <= %(up_to)s
