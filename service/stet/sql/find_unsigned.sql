-- The ledgers whose log does not end where the last checkpoint was signed, a second ago or more. Where the clock was put
-- back that was in the future, and is not waited for.
SELECT h.ledger_id
FROM stet.head h
LEFT JOIN LATERAL (
    SELECT c.size, c.signed_at FROM stet.signed_checkpoint c WHERE c.ledger_id = h.ledger_id ORDER BY c.size DESC LIMIT 1
) s ON true
WHERE h.position <> coalesce(s.size, 0)
  AND (s.signed_at IS NULL OR s.signed_at NOT BETWEEN clock_timestamp() - interval '1 second' AND clock_timestamp())
ORDER BY h.ledger_id
