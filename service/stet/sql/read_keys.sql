-- Keys by their ids: one, or a page of all that the asker may know of. Null for the asker: he may know of all.
SELECT k.key_id, k.name, k.scope, k.created_by, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
       (SELECT count(*) FROM stet.key_secret s
        WHERE s.key_id = k.key_id AND (s.expires_at IS NULL OR s.expires_at > now()))
FROM stet.key k
WHERE k.key_id > %(after)s AND (%(key_id)s::text IS NULL OR k.key_id = %(key_id)s)
  AND (%(asker)s::text IS NULL OR k.key_id = %(asker)s OR k.created_by = %(asker)s)
ORDER BY k.key_id
LIMIT %(limit)s
