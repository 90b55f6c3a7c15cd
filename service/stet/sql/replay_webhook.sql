-- Lets a webhook go on behind a position, back or ahead; what waits is forgotten: the log has it.
WITH moved AS (
    UPDATE stet.webhook
    SET position = %(after)s
    WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s
    RETURNING ledger_id, webhook_id
)
DELETE FROM stet.webhook_queue q
USING moved m
WHERE q.ledger_id = m.ledger_id AND q.webhook_id = m.webhook_id
