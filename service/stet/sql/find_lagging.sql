-- The ledgers whose log a projection has not taken to its end.
SELECT h.ledger_id
FROM stet.head h
LEFT JOIN stet.checkpoint c ON c.projection = %(projection)s AND c.ledger_id = h.ledger_id
WHERE h.position > coalesce(c.position, 0)
ORDER BY h.ledger_id
