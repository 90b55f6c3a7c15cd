-- Who asks: the key, with the digests of its texts; its role in a ledger; and whether anybody may read that ledger.
SELECT k.scope, k.expires_at <= now(), k.revoked_at IS NOT NULL,
       k.last_used_at IS NULL OR k.last_used_at < date_trunc('minute', now()),
       (SELECT array_agg(s.digest ORDER BY s.created_at, s.digest) FROM stet.key_secret s WHERE s.key_id = k.key_id),
       (SELECT array_agg(s.expires_at IS NULL OR s.expires_at > now() ORDER BY s.created_at, s.digest)
        FROM stet.key_secret s WHERE s.key_id = k.key_id),
       m.role,
       CASE WHEN m.role IS NULL AND k.scope IS DISTINCT FROM 'owner' THEN coalesce((
           SELECT (e.payload ->> 'public')::boolean FROM stet.event e
           WHERE e.ledger_id = %(ledger_id)s::uuid AND e.stream = 'ledger:' || %(ledger_id)s::uuid
             AND e.type IN ('ledger-created', 'ledger-amended') AND e.payload ->> 'public' IS NOT NULL
           ORDER BY e.stream_version DESC LIMIT 1), false) ELSE false END
FROM (VALUES (1)) one(row)
LEFT JOIN stet.key k ON k.key_id = %(key_id)s::text
LEFT JOIN stet.member m ON m.ledger_id = %(ledger_id)s::uuid AND m.key_id = k.key_id
