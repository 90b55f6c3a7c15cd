-- When a key ends by itself.
SELECT expires_at FROM stet.key WHERE key_id = %(key_id)s
