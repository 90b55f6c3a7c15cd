-- The kinds that incidents have, or ever had, in rows of an audience.
SELECT incident_id, array_agg(DISTINCT kind)
FROM stet.incident_history
WHERE ledger_id = %(ledger_id)s AND incident_id = ANY (%(ids)s) AND audience IN ('all', %(audience)s)
GROUP BY incident_id
