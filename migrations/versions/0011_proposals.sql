-- Contributors' drafts: what waits for review is found without reading the log.
SET LOCAL ROLE stet_owner;

CREATE INDEX event_proposed ON stet.event (ledger_id, position) WHERE type = 'statement-proposed';
RESET ROLE;
