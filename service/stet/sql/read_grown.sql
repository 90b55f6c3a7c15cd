-- Where a log ends, and how many events some of its streams have: none of them ever has fewer again.
SELECT h.position,
       (SELECT sum(last.stream_version)::bigint
        FROM unnest(%(streams)s::text[]) its(stream)
        CROSS JOIN LATERAL (
            SELECT e.stream_version
            FROM stet.event e
            WHERE e.ledger_id = %(ledger_id)s AND e.stream = its.stream
            ORDER BY e.stream_version DESC
            LIMIT 1
        ) last)
FROM stet.head h
WHERE h.ledger_id = %(ledger_id)s
