-- The sources whose names at a position have a word that begins with one of the terms: of each term so many at most.
SELECT t.term, found.id
FROM unnest(%(terms)s::text[], %(queries)s::text[]) t(term, query)
CROSS JOIN LATERAL (
    SELECT n.id
    FROM stet.name_search n
    WHERE n.words @@ t.query::tsquery AND n.ledger_id = %(ledger_id)s AND n.kind = 'source'
      AND n.from_position <= %(position)s AND n.to_position > %(position)s
    LIMIT %(limit)s
) found
ORDER BY t.term, found.id
