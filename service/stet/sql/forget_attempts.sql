-- Forgets attempts that are long past.
DELETE FROM stet.webhook_attempt WHERE tried_at < now() - interval '30 days'
