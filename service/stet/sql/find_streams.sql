-- The sources or documents whose names at a position have all words of a query, in the order in which they began.
SELECT e.stream, e.position
FROM stet.name_search n
JOIN stet.first_event e ON e.ledger_id = n.ledger_id AND e.stream = n.kind || ':' || n.id
WHERE n.ledger_id = %(ledger_id)s AND n.kind = %(kind)s AND n.words @@ %(q)s::tsquery
  AND n.from_position <= %(up_to)s AND n.to_position > %(up_to)s AND e.position > %(after)s
ORDER BY e.position
LIMIT %(limit)s
