-- The event that made a release.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = 'ledger:' || %(ledger_id)s::uuid AND type = 'release-published'
  AND payload->>'name' = %(name)s
