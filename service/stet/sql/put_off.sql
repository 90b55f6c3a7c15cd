-- Puts a message that could not be delivered off, and with it those of its stream that wait behind it.
UPDATE stet.webhook_queue q
SET next_try_at = now() + make_interval(secs => %(wait)s),
    attempts = CASE WHEN q.queued = %(queued)s THEN q.attempts + 1 ELSE q.attempts END,
    first_tried_at = CASE WHEN q.queued = %(queued)s THEN coalesce(q.first_tried_at, now()) ELSE q.first_tried_at END
WHERE q.ledger_id = %(ledger_id)s AND q.webhook_id = %(webhook_id)s AND q.stream = %(stream)s
  AND EXISTS (
      SELECT FROM stet.webhook_queue h
      WHERE h.ledger_id = q.ledger_id AND h.webhook_id = q.webhook_id AND h.stream = q.stream
        AND h.position = %(position)s AND h.queued = %(queued)s)
