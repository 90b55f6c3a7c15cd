-- The events of every stream of one kind, stream by stream.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream >= %(kind)s || ':' AND stream < %(kind)s || ';'
ORDER BY stream, stream_version
