-- The incident that holds what was said last of each row of a data set.
SELECT k.key, last.incident_id
FROM unnest(%(keys)s::text[]) k(key)
CROSS JOIN LATERAL (
    SELECT s.incident_id
    FROM stet.statement_history s
    WHERE s.ledger_id = %(ledger_id)s AND s.speaker = %(source_id)s AND s.record_key = k.key COLLATE "C"
      AND s.audience IN ('all', 'member') AND s.to_position = 9223372036854775807
    ORDER BY s.statement_position DESC
    LIMIT 1
) last
