-- The last text of a key is good for a while yet.
UPDATE stet.key_secret SET expires_at = least(expires_at, now() + make_interval(secs => %(overlap_s)s))
WHERE key_id = %(key_id)s
