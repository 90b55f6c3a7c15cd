-- What the writes with an Idempotency-Key up to a position were answered.
SELECT actor, key, encode(request_digest, 'hex'), status, location, position
FROM stet.idempotency
WHERE ledger_id = %(ledger_id)s AND position <= %(up_to)s
ORDER BY actor, key
