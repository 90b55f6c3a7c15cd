-- What carried some redactions out, up to a position.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND type = 'payload-redacted' AND position <= %(up_to)s
  AND payload ->> 'redaction_id' = ANY (%(ids)s)
ORDER BY position
