-- The next events of a log after a position.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND position > %(after)s
ORDER BY position
LIMIT %(limit)s
