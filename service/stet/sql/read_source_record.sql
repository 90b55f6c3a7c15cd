-- The record of a source at a position, added up over the incidents but some, as an audience sees them.
SELECT count(*), coalesce(sum(said), 0)::bigint, coalesce(sum(retracted), 0)::bigint,
       coalesce(sum(superseded), 0)::bigint, coalesce(sum(contradicted), 0)::bigint,
       coalesce(sum(conceded), 0)::bigint, coalesce(sum(relayed), 0)::bigint,
       (SELECT count(*) FROM stet.parked p
        WHERE p.projection = 'source_record' AND p.ledger_id = %(ledger_id)s AND p.position <= %(position)s
          AND (%(audience)s = 'member' OR NOT EXISTS (
              SELECT FROM stet.restriction_history h
              WHERE h.ledger_id = p.ledger_id AND h.kind = 'incident' AND h.id = split_part(p.stream, ':', 2)::uuid
                AND h.statement_id = '00000000-0000-0000-0000-000000000000' AND h.to_position = 9223372036854775807)))
FROM stet.source_record
WHERE ledger_id = %(ledger_id)s AND source_id = %(source_id)s AND audience IN ('all', %(audience)s)
  AND from_position <= %(position)s AND to_position > %(position)s
  AND incident_id <> ALL (%(apart)s::uuid[])
