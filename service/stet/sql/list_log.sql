-- A page of a log as it is stored, with what proves each event.
SELECT position, stream_version, event_id, type, schema_version, recorded_at, actor, correlation_id, causation_id,
       payload::text, encode(salt, 'hex'), encode(payload_digest, 'hex'), encode(leaf, 'hex'), stream
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND position > %(after)s AND position <= %(up_to)s
ORDER BY position
LIMIT %(limit)s
