-- A page of incidents at a cut, from their history, with their versions at its position.
SELECT page.incident_id, page.opened_at, page.summary::text, last.stream_version, last.recorded_at, page.key::text
FROM (
    SELECT h.incident_id, 'incident:' || h.incident_id AS stream, h.opened_at, h.summary, {key} AS key
    FROM stet.incident_search h
    WHERE h.ledger_id = %(ledger_id)s AND {filters}
    ORDER BY {key} {direction}, h.incident_id {direction}
    LIMIT %(limit)s
) page
CROSS JOIN LATERAL (
    SELECT e.stream_version, e.recorded_at
    FROM stet.event e
    WHERE e.ledger_id = %(ledger_id)s AND e.stream = page.stream AND e.position <= %(position)s
    ORDER BY e.stream_version DESC
    LIMIT 1
) last
ORDER BY page.key {direction}, page.incident_id {direction}
