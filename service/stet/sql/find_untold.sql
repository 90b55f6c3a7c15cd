-- The webhooks whose log goes on behind where they are, and for which not too much waits already.
SELECT w.ledger_id, w.position, w.audience, w.webhook_id, w.kinds, w.incidents, w.types
FROM stet.webhook w
JOIN stet.head h ON h.ledger_id = w.ledger_id
WHERE w.paused_at IS NULL AND h.position > w.position
  AND (SELECT count(*) FROM (
      SELECT FROM stet.webhook_queue q
      WHERE q.ledger_id = w.ledger_id AND q.webhook_id = w.webhook_id LIMIT %(most)s) waiting) < %(most)s
ORDER BY w.ledger_id, w.position, w.audience, w.webhook_id
