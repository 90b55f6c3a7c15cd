-- A page of a log as it is stored, with what proves each event, and what the last redaction of each says of it.
SELECT e.position, e.stream_version, e.event_id, e.type, e.schema_version, e.recorded_at, e.actor, e.correlation_id,
       e.causation_id, e.payload::text, encode(e.salt, 'hex'), encode(e.payload_digest, 'hex'), encode(e.leaf, 'hex'),
       e.redacted_by, x.ground, x.fields::text, e.stream
FROM stet.event e
LEFT JOIN LATERAL (
    SELECT r.payload ->> 'ground' AS ground, one.erased -> 'fields' AS fields
    FROM stet.event r CROSS JOIN LATERAL json_array_elements(r.payload -> 'events') one(erased)
    WHERE e.redacted_by IS NOT NULL AND r.ledger_id = e.ledger_id AND r.position = e.redacted_by
      AND one.erased ->> 'position' = e.position::text
    LIMIT 1
) x ON true
WHERE e.ledger_id = %(ledger_id)s AND e.position > %(after)s AND e.position <= %(up_to)s
ORDER BY e.position
LIMIT %(limit)s
