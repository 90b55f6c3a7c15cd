-- Pauses a webhook that is not paused.
UPDATE stet.webhook
SET paused_at = now(), paused_reason = %(reason)s
WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s AND paused_at IS NULL
