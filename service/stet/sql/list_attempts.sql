-- The attempts of a webhook, the last first.
SELECT a.attempt_id, a.stream, a.position, a.attempt, a.tried_at, a.outcome, a.status, a.ms, a.error, a.excerpt,
       a.next_try_at
FROM stet.webhook_attempt a
WHERE a.ledger_id = %(ledger_id)s AND a.webhook_id = %(webhook_id)s
  AND (%(outcome)s::text IS NULL OR a.outcome = %(outcome)s)
  AND (%(before)s::uuid IS NULL OR a.attempt_id < %(before)s)
ORDER BY a.attempt_id DESC
LIMIT %(limit)s
