-- What the messages of a webhook are signed with, the newest first.
SELECT secret
FROM stet.webhook_secret
WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s AND (expires_at IS NULL OR expires_at > now())
ORDER BY created_at DESC, secret_id DESC
LIMIT 3
