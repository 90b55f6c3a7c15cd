-- The last checkpoint that was signed of a log, and the public keys that ever signed.
SELECT c.size, c.root, c.note, c.signed_at,
       (SELECT array_agg(k.public_key ORDER BY k.since DESC, k.public_key) FROM stet.signing_key k)
FROM stet.signed_checkpoint c
WHERE c.ledger_id = %(ledger_id)s
ORDER BY c.size DESC
LIMIT 1
