-- The events that prove a stream up to a position, but for what is hidden, in the words that their leaves are made of.
SELECT position, stream, stream_version, event_id::text, type, schema_version,
       to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor,
       correlation_id::text, causation_id::text, payload::text, encode(salt, 'hex'), encode(payload_digest, 'hex'),
       redacted_by
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s AND position <> ALL (%(hidden)s::bigint[])
  AND (position <= %(up_to)s OR type = 'payload-redacted')
ORDER BY position
