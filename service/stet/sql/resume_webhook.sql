-- Lets a paused webhook go on where it stood, as one of whoever resumes it; what waits is tried at once, as if for the first time.
WITH resumed AS (
    UPDATE stet.webhook
    SET paused_at = NULL, paused_reason = NULL, created_by = %(created_by)s, audience = %(audience)s
    WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s AND paused_at IS NOT NULL
    RETURNING ledger_id, webhook_id
)
UPDATE stet.webhook_queue q
SET attempts = 0, first_tried_at = NULL, next_try_at = now()
FROM resumed r
WHERE q.ledger_id = r.ledger_id AND q.webhook_id = r.webhook_id
