-- How an attempt went; nothing, if its webhook is gone.
INSERT INTO stet.webhook_attempt (
    ledger_id, webhook_id, attempt_id, stream, position, attempt, outcome, status, ms, error, excerpt, next_try_at)
SELECT w.ledger_id, w.webhook_id, %(attempt_id)s, %(stream)s, %(position)s, %(attempt)s, %(outcome)s, %(status)s,
       %(ms)s, %(error)s, %(excerpt)s, now() + make_interval(secs => %(wait)s)
FROM stet.webhook w
WHERE w.ledger_id = %(ledger_id)s AND w.webhook_id = %(webhook_id)s
FOR KEY SHARE
