-- The log of a ledger up to a position, with what proves each event, in the words that its leaf is made of.
SELECT position, stream, stream_version, event_id::text, type, schema_version,
       to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor,
       correlation_id::text, causation_id::text, payload::text,
       encode(salt, 'hex'), encode(payload_digest, 'hex'), encode(leaf, 'hex'), redacted_by
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND position <= %(up_to)s
ORDER BY position
