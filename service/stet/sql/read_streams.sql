-- The events of some streams up to a position, in the order of the log.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = ANY (%(streams)s) AND position <= %(up_to)s
ORDER BY position
