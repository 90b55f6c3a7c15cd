-- How far each projection is, what it could not take, and how it is rebuilt (docs/operations.md).

SET LOCAL ROLE stet_owner;

-- statement_history is a table of the projection incident_history.
DELETE FROM stet.projection WHERE name = 'statement_history';

-- The item of the current list as of any position, for the feed of changes.
CREATE INDEX incident_history_shown ON stet.incident_history (ledger_id, incident_id, audience, from_position)
    WHERE said_to = 'infinity';

CREATE TABLE stet.checkpoint (
    projection text COLLATE "C" NOT NULL,
    ledger_id uuid NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT checkpoint_pk PRIMARY KEY (projection, ledger_id),
    CONSTRAINT checkpoint_position CHECK (position >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE stet.checkpoint IS
    'Up to which position of a log each projection has taken every event, but those of its parked streams.';

CREATE TABLE stet.parked (
    projection text COLLATE "C" NOT NULL,
    ledger_id uuid NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT parked_pk PRIMARY KEY (projection, ledger_id, stream)
);
COMMENT ON TABLE stet.parked IS
    'Streams that a projection could not take, each from the position of the event that it failed at.';

CREATE TABLE stet.rebuild (
    rebuild_id uuid NOT NULL,
    projection text COLLATE "C" NOT NULL,
    version int NOT NULL,
    workers int NOT NULL,
    verify_only boolean NOT NULL,
    accept_differences boolean NOT NULL,
    phase text COLLATE "C" NOT NULL DEFAULT 'queued',
    cancel boolean NOT NULL DEFAULT false,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    events_total bigint NOT NULL DEFAULT 0,
    copied_at timestamptz,
    parked bigint NOT NULL DEFAULT 0,
    digests json,
    differences json,
    error text,
    CONSTRAINT rebuild_pk PRIMARY KEY (rebuild_id),
    CONSTRAINT rebuild_workers CHECK (workers BETWEEN 1 AND 64),
    CONSTRAINT rebuild_phase CHECK (phase IN (
        'queued', 'copying', 'indexing', 'catching-up', 'comparing', 'switching',
        'done', 'refused', 'failed', 'cancelled'))
);
COMMENT ON TABLE stet.rebuild IS 'The rebuilds of projections, and how each ended.';
CREATE UNIQUE INDEX rebuild_running ON stet.rebuild (projection)
    WHERE phase IN ('queued', 'copying', 'indexing', 'catching-up', 'comparing', 'switching');

CREATE TABLE stet.rebuild_worker (
    rebuild_id uuid NOT NULL,
    worker int NOT NULL,
    ledger_id uuid,
    stream text COLLATE "C",
    events_done bigint NOT NULL DEFAULT 0,
    finished boolean NOT NULL DEFAULT false,
    CONSTRAINT rebuild_worker_pk PRIMARY KEY (rebuild_id, worker),
    CONSTRAINT rebuild_worker_rebuild FOREIGN KEY (rebuild_id) REFERENCES stet.rebuild ON DELETE CASCADE
);
COMMENT ON TABLE stet.rebuild_worker IS
    'The last stream that each worker of a rebuild has copied: where it goes on if it is killed.';

GRANT SELECT, INSERT, UPDATE (position) ON stet.checkpoint TO stet_application;
GRANT SELECT, INSERT, UPDATE (position, error, parked_at), DELETE ON stet.parked TO stet_application;
GRANT SELECT, INSERT, UPDATE (cancel, phase, finished_at) ON stet.rebuild TO stet_application;
GRANT SELECT ON stet.rebuild_worker TO stet_application;
GRANT SELECT ON stet.checkpoint, stet.parked, stet.rebuild, stet.rebuild_worker TO stet_reader;

RESET ROLE;
