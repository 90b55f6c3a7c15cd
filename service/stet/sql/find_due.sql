-- What is due: of each stream of each webhook only the first that waits, and nothing of streams that are being sent.
SELECT w.ledger_id, l.name, w.webhook_id, w.url, w.audience, d.stream, d.position, d.queued,
       d.attempts, coalesce(extract(epoch FROM now() - d.first_tried_at), 0)::float8
FROM stet.webhook w
JOIN stet.ledger l ON l.ledger_id = w.ledger_id
CROSS JOIN LATERAL (
    SELECT q.stream, q.position, q.queued, q.attempts, q.first_tried_at, q.next_try_at
    FROM stet.webhook_queue q
    WHERE q.ledger_id = w.ledger_id AND q.webhook_id = w.webhook_id AND q.next_try_at <= now()
      AND NOT EXISTS (
          SELECT FROM stet.webhook_queue e
          WHERE e.ledger_id = q.ledger_id AND e.webhook_id = q.webhook_id AND e.stream = q.stream
            AND e.position < q.position)
      AND NOT EXISTS (
          SELECT FROM unnest(%(busy_webhooks)s::uuid[], %(busy_streams)s::text[]) b(webhook_id, stream)
          WHERE b.webhook_id = w.webhook_id AND b.stream = q.stream)
    ORDER BY q.next_try_at, q.position
    LIMIT %(each)s
) d
WHERE w.paused_at IS NULL AND w.webhook_id <> ALL (%(full)s::uuid[])
ORDER BY d.next_try_at, d.position
