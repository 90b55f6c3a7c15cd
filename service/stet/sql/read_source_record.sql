-- The record of a source at a position, added up over the incidents but some, as an audience sees them.
SELECT count(*), coalesce(sum(said), 0)::bigint, coalesce(sum(retracted), 0)::bigint,
       coalesce(sum(superseded), 0)::bigint, coalesce(sum(contradicted), 0)::bigint,
       coalesce(sum(conceded), 0)::bigint, coalesce(sum(relayed), 0)::bigint,
       (SELECT count(*) FROM stet.parked
        WHERE projection = 'source_record' AND ledger_id = %(ledger_id)s AND position <= %(position)s)
FROM stet.source_record
WHERE ledger_id = %(ledger_id)s AND source_id = %(source_id)s AND audience IN ('all', %(audience)s)
  AND from_position <= %(position)s AND to_position > %(position)s
  AND incident_id <> ALL (%(apart)s::uuid[])
