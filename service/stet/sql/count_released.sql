-- What a log gained in some of its parts, but for what is hidden: of each, from after a position to another.
SELECT count(e.stream),
       count(*) FILTER (WHERE e.stream_version = 1 AND e.kind = 'incident'),
       count(DISTINCT e.stream) FILTER (WHERE e.kind = 'incident'),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type IN ('statement-recorded', 'statement-accepted')),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type = 'statement-corrected'),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type = 'statement-retracted'),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type = 'statement-superseded'),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type = 'statement-withdrawn'),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type = 'statement-reinstated'),
       count(DISTINCT e.statement_id) FILTER (WHERE e.type = 'statement-assessed'),
       count(*) FILTER (WHERE e.stream_version = 1 AND e.kind = 'source'),
       count(*) FILTER (WHERE e.stream_version = 1 AND e.kind = 'document')
FROM unnest(%(afters)s::bigint[], %(positions)s::bigint[]) WITH ORDINALITY part(after, position, number)
LEFT JOIN LATERAL (
    SELECT l.stream, l.stream_version, l.type, split_part(l.stream, ':', 1) AS kind,
           CASE WHEN l.type LIKE 'statement-%%'
               THEN coalesce(l.payload->>'statement_id', l.payload->'statement'->>'statement_id') END AS statement_id
    FROM stet.event l
    WHERE l.ledger_id = %(ledger_id)s AND l.position > part.after AND l.position <= part.position
      AND l.position <> ALL (%(hidden)s::bigint[])
) e ON true
GROUP BY part.number
ORDER BY part.number
