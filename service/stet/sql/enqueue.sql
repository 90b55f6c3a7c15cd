-- Lets what a page of the log changed wait to be sent, and moves the webhook behind it, unless it was moved elsewhere.
WITH moved AS (
    UPDATE stet.webhook SET position = %(next)s
    WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s AND position = %(position)s AND paused_at IS NULL
    RETURNING ledger_id, webhook_id
)
INSERT INTO stet.webhook_queue (ledger_id, webhook_id, stream, position)
SELECT m.ledger_id, m.webhook_id, f.stream, f.position
FROM moved m
CROSS JOIN unnest(%(streams)s::text[], %(positions)s::bigint[]) f(stream, position)
ON CONFLICT DO NOTHING
