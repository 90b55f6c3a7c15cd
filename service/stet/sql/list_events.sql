-- The events of one stream as they are stored, with what proves them, and what the last redaction of each says of it.
WITH page AS MATERIALIZED (
    SELECT * FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s AND e.stream = %(stream)s AND e.stream_version > %(after)s
      AND e.position <= %(up_to)s AND e.type <> ALL (%(left_out)s::text[]) AND e.position <> ALL (%(hidden)s::bigint[])
    ORDER BY e.stream_version
    LIMIT %(limit)s
), redacted AS MATERIALIZED (
    -- Each redaction is read once, however much it erased.
    SELECT r.position AS by, r.payload ->> 'ground' AS ground, (
               SELECT jsonb_object_agg(one.erased ->> 'position', one.erased -> 'fields')
               FROM json_array_elements(r.payload -> 'events') one(erased)) AS fields
    FROM stet.event r
    WHERE r.ledger_id = %(ledger_id)s AND r.position IN (SELECT redacted_by FROM page)
)
SELECT e.position, e.stream_version, e.event_id, e.type, e.schema_version, e.recorded_at, e.actor, e.correlation_id,
       e.causation_id, e.payload::text, encode(e.salt, 'hex'), encode(e.payload_digest, 'hex'), encode(e.leaf, 'hex'),
       e.redacted_by, x.ground, x.fields ->> e.position::text
FROM page e LEFT JOIN redacted x ON x.by = e.redacted_by
ORDER BY e.stream_version
