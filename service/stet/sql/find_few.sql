-- Incidents at a cut with what was said of them, or with their titles, as it is searched for: some of many, or all of few.
(SELECT s.incident_id FROM stet.statement_search s WHERE {said} LIMIT %(most)s)
UNION ALL
(SELECT h.incident_id FROM stet.incident_search h WHERE h.ledger_id = %(ledger_id)s AND {titled} LIMIT %(most)s)
