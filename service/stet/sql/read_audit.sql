-- What was done to keys and members, in order: to all, or to the members of one ledger.
SELECT a.position, a.at, a.actor, a.ledger_id, a.action, a.subject, a.detail::text
FROM stet.audit a
WHERE a.position > %(after)s AND (%(ledger_id)s::uuid IS NULL OR a.ledger_id = %(ledger_id)s)
ORDER BY a.position
LIMIT %(limit)s
