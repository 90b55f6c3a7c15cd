-- What a write with this idempotency key was answered.
SELECT request_digest, status, location, position
FROM stet.idempotency
WHERE ledger_id = %(ledger_id)s AND actor = %(actor)s AND key = %(key)s
