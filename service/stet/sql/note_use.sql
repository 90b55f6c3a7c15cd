-- A key was used in this minute.
UPDATE stet.key SET last_used_at = date_trunc('minute', now())
WHERE key_id = %(key_id)s AND (last_used_at IS NULL OR last_used_at < date_trunc('minute', now()))
