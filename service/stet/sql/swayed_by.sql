-- What counts, or does not, because of others: what some statements retract or supersede, and the pins that cite them.
WITH wanted AS (
    SELECT *, 'incident:' || incident_id AS stream
    FROM unnest(%(incident_ids)s::uuid[], %(statement_ids)s::uuid[], %(positions)s::bigint[])
        w(incident_id, statement_id, position)
), earlier AS (
    SELECT w.*, e.type, e.payload
    FROM wanted w
    JOIN stet.event e
      ON e.ledger_id = %(ledger_id)s AND e.stream = w.stream AND e.position <= w.position
     AND e.type IN ('statement-superseded', 'statement-moved-in', 'attribute-pinned')
     AND e.position <> ALL (%(hidden)s::bigint[])
)
SELECT w.incident_id, w.position, h.retracts, NULL
FROM wanted w
JOIN stet.statement_history h
  ON h.ledger_id = %(ledger_id)s AND h.incident_id = w.incident_id AND h.statement_id = w.statement_id
WHERE h.audience IN ('all', %(audience)s) AND h.retracts IS NOT NULL
UNION
SELECT incident_id, position, (payload->>'statement_id')::uuid, NULL
FROM earlier
WHERE type = 'statement-superseded' AND payload->>'superseded_by' = statement_id::text
UNION
SELECT incident_id, position, (payload->'statement'->>'statement_id')::uuid, NULL
FROM earlier
CROSS JOIN LATERAL json_array_elements(payload->'statement'->'superseded') s(supersession)
WHERE type = 'statement-moved-in' AND supersession->>'superseded_by' = statement_id::text
UNION
SELECT incident_id, position, NULL, payload->>'attribute'
FROM earlier
WHERE type = 'attribute-pinned' AND (payload->'cites')::jsonb ? statement_id::text
