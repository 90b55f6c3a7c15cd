-- The events of the streams of one kind up to a position, stream by stream, of one share of the streams by their hash.
SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
       correlation_id, causation_id, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream >= %(kind)s || ':' AND stream < %(kind)s || ';' AND stream > %(after)s
  AND position <= %(up_to)s AND (%(shares)s = 1 OR abs(hashtext(stream)::bigint) %% %(shares)s = %(share)s)
ORDER BY stream, stream_version
