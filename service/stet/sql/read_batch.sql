-- The events of some kinds of streams in a range of positions, in the order of the log.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND position > %(after)s AND position <= %(up_to)s
  AND split_part(stream, ':', 1) = ANY (%(kinds)s)
ORDER BY position
