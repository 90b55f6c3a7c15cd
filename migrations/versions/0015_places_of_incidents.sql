-- Incidents near a place: what may be the same as one is found by where it happened, too.
SET LOCAL ROLE stet_owner;

CREATE INDEX incident_history_latitude ON stet.incident_history
    (ledger_id, latitude, incident_id, from_position, to_position, said_from, said_to) WHERE latitude IS NOT NULL;

RESET ROLE;
