-- A page of a log as it is stored, with what proves each event, and what the last redaction of each says of it.
SELECT e.position, e.stream_version, e.event_id, e.type, e.schema_version, e.recorded_at, e.actor, e.correlation_id,
       e.causation_id, e.payload::text, encode(e.salt, 'hex'), encode(e.payload_digest, 'hex'), encode(e.leaf, 'hex'),
       e.redacted_by, r.payload ->> 'ground', x.fields::text, e.stream
FROM stet.event e
LEFT JOIN stet.event r ON r.ledger_id = e.ledger_id AND r.position = e.redacted_by
LEFT JOIN LATERAL (
    SELECT one.erased -> 'fields' AS fields FROM json_array_elements(r.payload -> 'events') one(erased)
    WHERE one.erased ->> 'position' = e.position::text
) x ON true
WHERE e.ledger_id = %(ledger_id)s AND e.position > %(after)s AND e.position <= %(up_to)s
ORDER BY e.position
LIMIT %(limit)s
