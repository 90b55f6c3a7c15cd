-- The words of all that was said of some incidents at a cut, and who said it.
SELECT i.id,
       (SELECT array_agg(DISTINCT word)
        FROM stet.statement_history s
        CROSS JOIN LATERAL unnest(tsvector_to_array(s.words)) word
        WHERE s.incident_id = i.id AND {kept} AND left(word, 1) <> ':'),
       (SELECT array_agg(DISTINCT s.speaker) FROM stet.statement_history s WHERE s.incident_id = i.id AND {kept})
FROM unnest(%(incident_ids)s::uuid[]) i(id)
