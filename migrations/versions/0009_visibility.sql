-- Visibility: what is restricted, and when the public saw something of an incident of which it does not see all.

SET LOCAL ROLE stet_owner;

CREATE TABLE stet.restriction_history (
    ledger_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    statement_id uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL DEFAULT 9223372036854775807,
    label text COLLATE "C" NOT NULL,
    embargo_until timestamptz,
    CONSTRAINT restriction_history_pk PRIMARY KEY (ledger_id, kind, id, statement_id, from_position),
    CONSTRAINT restriction_history_kind CHECK (kind IN ('incident', 'document')),
    CONSTRAINT restriction_history_label CHECK (label IN ('clear', 'green', 'amber', 'amber+strict', 'red')),
    CONSTRAINT restriction_history_restricts CHECK (label <> 'clear' OR embargo_until IS NOT NULL),
    CONSTRAINT restriction_history_positions CHECK (from_position < to_position)
);
COMMENT ON TABLE stet.restriction_history IS
    'What only members see by a label or an embargo of its own: an incident, a statement in it, a document.';
COMMENT ON COLUMN stet.restriction_history.statement_id IS
    'The statement; 00000000-0000-0000-0000-000000000000: the incident or the document itself.';
CREATE INDEX restriction_history_live ON stet.restriction_history (ledger_id, kind, id)
    WHERE to_position = 9223372036854775807;
-- The embargoes that are due.
CREATE INDEX restriction_history_embargo ON stet.restriction_history (ledger_id, embargo_until)
    WHERE to_position = 9223372036854775807 AND embargo_until IS NOT NULL;

-- A table of the projection incident_history.
CREATE TABLE stet.shown_history (
    ledger_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL DEFAULT 9223372036854775807,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT shown_history_pk PRIMARY KEY (ledger_id, incident_id, from_position),
    CONSTRAINT shown_history_positions CHECK (from_position < to_position)
);
COMMENT ON TABLE stet.shown_history IS
    'Of an incident of which the public sees a part: the last event that it sees. Of any other the log tells that.';
-- A page by the last update, at a position.
CREATE INDEX shown_history_updated ON stet.shown_history (ledger_id, from_position, incident_id, to_position);

-- The streams of which an audience may see less than another; few events are of these types.
CREATE INDEX event_visibility ON stet.event (ledger_id, stream)
    WHERE type IN ('visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected');

CALL stet.keep_apart('stet.restriction_history');
CALL stet.keep_apart('stet.shown_history');
GRANT SELECT, INSERT, UPDATE (to_position) ON stet.restriction_history, stet.shown_history TO stet_application;
GRANT SELECT ON stet.restriction_history, stet.shown_history TO stet_reader, stet_worker;
-- Visibility is always today's: where it changes, the rows of that incident are derived anew, back to the first.
GRANT DELETE ON stet.incident_history, stet.statement_history, stet.shown_history TO stet_application;

RESET ROLE;
