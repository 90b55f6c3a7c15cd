-- The sources whose names at a position have a word that begins with one of the terms.
SELECT t.term, n.id
FROM unnest(%(terms)s::text[], %(queries)s::text[]) t(term, query)
JOIN stet.name_history n ON n.words @@ t.query::tsquery
WHERE n.ledger_id = %(ledger_id)s AND n.kind = 'source'
  AND n.from_position <= %(position)s AND n.to_position > %(position)s
ORDER BY t.term, n.id
LIMIT 1000
