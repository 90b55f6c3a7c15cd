-- The redactions that were proposed after a position, in the order of the log.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND type = 'redaction-proposed' AND position > %(after)s AND position <= %(up_to)s
ORDER BY position
LIMIT %(limit)s
