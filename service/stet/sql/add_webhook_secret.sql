-- Adds a secret; those before it are valid for a while yet, and no longer than they were to be.
WITH older AS (
    UPDATE stet.webhook_secret
    SET expires_at = least(coalesce(expires_at, 'infinity'), now() + make_interval(secs => %(overlap)s))
    WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s
)
INSERT INTO stet.webhook_secret (ledger_id, webhook_id, secret_id, secret)
VALUES (%(ledger_id)s, %(webhook_id)s, %(secret_id)s, %(secret)s)
