-- The webhooks of a ledger, or one of them, and how they are; the oldest first.
SELECT w.webhook_id, w.url, w.description, w.kinds, w.incidents, w.types, w.audience, w.created_by, w.created_at,
       w.paused_at, w.paused_reason, w.position, h.position, q.waiting, q.failing_since,
       (SELECT json_agg(json_build_object('created_at', s.created_at, 'expires_at', s.expires_at)
                        ORDER BY s.created_at DESC, s.secret_id DESC)::text
        FROM stet.webhook_secret s
        WHERE s.ledger_id = w.ledger_id AND s.webhook_id = w.webhook_id
          AND (s.expires_at IS NULL OR s.expires_at > now()))
FROM stet.webhook w
JOIN stet.head h ON h.ledger_id = w.ledger_id
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(q.first_tried_at) AS failing_since
    FROM stet.webhook_queue q
    WHERE q.ledger_id = w.ledger_id AND q.webhook_id = w.webhook_id
) q
WHERE w.ledger_id = %(ledger_id)s AND (%(webhook_id)s::uuid IS NULL OR w.webhook_id = %(webhook_id)s)
ORDER BY w.webhook_id
