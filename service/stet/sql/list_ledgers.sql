-- The ledgers by name, each with its own stream's events.
SELECT l.ledger_id, l.name
FROM stet.ledger l
WHERE l.name > %(after)s
ORDER BY l.name
LIMIT %(limit)s
