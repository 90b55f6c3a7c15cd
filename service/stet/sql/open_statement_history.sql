-- Adds versions of statements.
INSERT INTO stet.statement_history (
    ledger_id, incident_id, statement_id, audience, from_position, to_position, statement_position,
    said_earliest, said_latest, speaker, relays, reporters, channel, attributes, acts, retracts, words)
SELECT %(ledger_id)s, r.incident_id, r.statement_id, %(audience)s, r.from_position,
       coalesce(r.to_position, 9223372036854775807), r.statement_position,
       r.said_earliest, r.said_latest, r.speaker, r.relays, r.reporters, r.channel, r.attributes, r.acts, r.retracts,
       array_to_tsvector(r.words)
FROM json_to_recordset(%(rows)s::json) r(
    incident_id uuid, statement_id uuid, from_position bigint, to_position bigint, statement_position bigint,
    said_earliest timestamptz, said_latest timestamptz, speaker uuid, relays uuid[], reporters uuid[],
    channel text, attributes text[], acts text[], retracts uuid, words text[])
