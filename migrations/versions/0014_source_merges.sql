-- Sources that turn out to be others: which, what still names them, and all that names a source.
SET LOCAL ROLE stet_owner;

CREATE INDEX event_merged ON stet.event (ledger_id, position) WHERE type = 'source-merged';
CREATE INDEX event_merging ON stet.event (ledger_id, stream, stream_version)
    WHERE type = 'source-merged' AND payload ->> 'reached' IS NOT NULL;

-- The parents of sources and the publishers of documents were not in the table.
WITH named AS (
    SELECT e.ledger_id, e.stream, e.payload ->> 'parent' AS source_id
    FROM stet.event e WHERE e.type IN ('source-registered', 'source-revised')
    UNION ALL
    SELECT e.ledger_id, e.stream, e.payload ->> 'publisher'
    FROM stet.event e WHERE e.type = 'document-registered'
)
INSERT INTO stet.reference (ledger_id, target, stream, role)
SELECT DISTINCT n.ledger_id, 'source:' || n.source_id, n.stream, 'names' FROM named n
WHERE n.source_id IS NOT NULL AND 'source:' || n.source_id <> n.stream
ON CONFLICT DO NOTHING;

RESET ROLE;
