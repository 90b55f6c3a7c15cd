-- Where a log ends, what was last signed of it, and how many nodes of level 1 its tree has.
SELECT h.position, coalesce(s.size, 0), s.root,
       coalesce((SELECT max(n.index) + 1 FROM stet.node n WHERE n.ledger_id = h.ledger_id AND n.level = 1), 0)
FROM stet.head h
LEFT JOIN LATERAL (
    SELECT c.size, c.root FROM stet.signed_checkpoint c WHERE c.ledger_id = h.ledger_id ORDER BY c.size DESC LIMIT 1
) s ON true
WHERE h.ledger_id = %(ledger_id)s
