-- Forgets the secrets that nothing is signed with any more.
DELETE FROM stet.webhook_secret WHERE expires_at < now()
