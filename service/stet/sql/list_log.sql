-- A page of a log as it is stored, with what proves each event, and what the last redaction of each says of it.
WITH page AS MATERIALIZED (
    SELECT * FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s AND e.position > %(after)s AND e.position <= %(up_to)s
    ORDER BY e.position
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
       e.redacted_by, x.ground, x.fields ->> e.position::text, e.stream
FROM page e LEFT JOIN redacted x ON x.by = e.redacted_by
ORDER BY e.position
