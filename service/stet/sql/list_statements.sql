-- A page of statements at a cut, across incidents: one that is about two incidents is listed for each.
SELECT s.incident_id, s.statement_id, {key}::text
FROM {table} s
WHERE {filters}
ORDER BY {key} {direction}, s.statement_id {direction}, s.incident_id {direction}
LIMIT %(limit)s
