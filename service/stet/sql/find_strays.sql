-- Rows of the histories that belong to no stream of the log.
SELECT h.history, h.id
FROM (
    SELECT 'incident_history' AS history, incident_id AS id, 'incident:' || incident_id AS stream
    FROM stet.incident_history WHERE ledger_id = %(ledger_id)s
    UNION
    SELECT 'statement_history', incident_id, 'incident:' || incident_id
    FROM stet.statement_history WHERE ledger_id = %(ledger_id)s
    UNION
    SELECT 'name_history', id, kind || ':' || id FROM stet.name_history WHERE ledger_id = %(ledger_id)s
) h
WHERE NOT EXISTS (SELECT FROM stet.event e WHERE e.ledger_id = %(ledger_id)s AND e.stream = h.stream)
ORDER BY h.history, h.id
LIMIT %(limit)s
