-- Numbers of incidents at a cut, and what their counts add up to, by a key of each.
SELECT by.key, count(*), {sums}
FROM stet.incident_history h
CROSS JOIN LATERAL ({keys}) by(key)
WHERE h.ledger_id = %(ledger_id)s AND {filters}
GROUP BY by.key
ORDER BY count(*) DESC, by.key
LIMIT %(limit)s
