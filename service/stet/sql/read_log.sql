-- The whole log of a ledger, with what proves each event.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor, correlation_id,
       causation_id, payload::text, salt, payload_digest, leaf
FROM stet.event
WHERE ledger_id = %(ledger_id)s
ORDER BY position
