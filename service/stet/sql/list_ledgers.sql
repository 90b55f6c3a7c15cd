-- The ledgers by name, each with the role that a key has there.
SELECT l.ledger_id, l.name, m.role
FROM stet.ledger l
LEFT JOIN stet.member m ON m.ledger_id = l.ledger_id AND m.key_id = %(key_id)s
WHERE l.name > %(after)s
ORDER BY l.name
LIMIT %(limit)s
