-- Pauses the webhooks of those who may not read the ledger any more: what they may not see is not sent for them.
UPDATE stet.webhook w
SET paused_at = now(), paused_reason = 'whoever made or resumed it may not read this ledger any more'
WHERE w.paused_at IS NULL AND w.created_by <> ALL (%(unkeyed)s)
  AND NOT EXISTS (
      SELECT FROM stet.key k
      LEFT JOIN stet.member m ON m.ledger_id = w.ledger_id AND m.key_id = k.key_id
      WHERE k.key_id = w.created_by AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        AND (k.scope = 'owner' OR m.key_id IS NOT NULL))
