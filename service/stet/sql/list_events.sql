-- The events of one stream as they are stored, with what proves them.
SELECT position, stream_version, event_id, type, schema_version, recorded_at, actor, correlation_id, causation_id,
       payload::text, encode(salt, 'hex'), encode(payload_digest, 'hex'), encode(leaf, 'hex')
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = %(stream)s AND stream_version > %(after)s AND position <= %(up_to)s
  AND type <> ALL (%(left_out)s::text[]) AND position <> ALL (%(hidden)s::bigint[])
ORDER BY stream_version
LIMIT %(limit)s
