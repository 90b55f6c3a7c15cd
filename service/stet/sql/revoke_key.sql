-- A key is of no use from here on.
UPDATE stet.key SET revoked_at = now() WHERE key_id = %(key_id)s AND revoked_at IS NULL
