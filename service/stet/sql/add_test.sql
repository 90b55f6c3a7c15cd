-- Lets a message that tells of nothing wait to be sent.
INSERT INTO stet.webhook_queue (ledger_id, webhook_id, stream, position)
SELECT ledger_id, webhook_id, %(stream)s, 0
FROM stet.webhook
WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s
