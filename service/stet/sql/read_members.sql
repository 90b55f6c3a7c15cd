-- The members of a ledger by the ids of their keys: one, or a page of all.
SELECT m.key_id, k.name, m.role, k.scope
FROM stet.member m JOIN stet.key k ON k.key_id = m.key_id
WHERE m.ledger_id = %(ledger_id)s AND m.key_id > %(after)s AND (%(key_id)s::text IS NULL OR m.key_id = %(key_id)s)
ORDER BY m.key_id
LIMIT %(limit)s
