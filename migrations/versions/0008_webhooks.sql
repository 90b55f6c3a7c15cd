-- Webhooks: who is told what changed, and how that goes (docs/webhooks.md, docs/adr/0021).

SET LOCAL ROLE stet_owner;

CREATE TABLE stet.webhook (
    ledger_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    url text NOT NULL,
    description text,
    kinds text[] COLLATE "C" NOT NULL,
    incidents uuid[] NOT NULL,
    types text[] COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    position bigint NOT NULL,
    paused_at timestamptz,
    paused_reason text,
    CONSTRAINT webhook_pk PRIMARY KEY (ledger_id, webhook_id),
    CONSTRAINT webhook_audience CHECK (audience IN ('public', 'member')),
    CONSTRAINT webhook_position CHECK (position >= 0),
    CONSTRAINT webhook_paused CHECK ((paused_at IS NULL) = (paused_reason IS NULL))
);
COMMENT ON TABLE stet.webhook IS 'Who is told what changed. Up to `position` all of it has been sent or waits in webhook_queue.';

CREATE TABLE stet.webhook_secret (
    ledger_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    secret_id uuid NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    CONSTRAINT webhook_secret_pk PRIMARY KEY (ledger_id, webhook_id, secret_id),
    CONSTRAINT webhook_secret_webhook FOREIGN KEY (ledger_id, webhook_id) REFERENCES stet.webhook ON DELETE CASCADE
);
COMMENT ON TABLE stet.webhook_secret IS
    'What messages are signed with. Only what sends reads a secret: whoever serves the API writes it and shows it once.';

CREATE TABLE stet.webhook_queue (
    ledger_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    queued uuid NOT NULL DEFAULT gen_random_uuid(),
    attempts int NOT NULL DEFAULT 0,
    first_tried_at timestamptz,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_queue_pk PRIMARY KEY (ledger_id, webhook_id, stream, position),
    CONSTRAINT webhook_queue_webhook FOREIGN KEY (ledger_id, webhook_id) REFERENCES stet.webhook ON DELETE CASCADE
) WITH (fillfactor = 70);
COMMENT ON TABLE stet.webhook_queue IS
    'What waits to be sent: what an append changed of a stream, by its last position. Never what it says.';
CREATE INDEX webhook_queue_due ON stet.webhook_queue (ledger_id, webhook_id, next_try_at, position);

CREATE TABLE stet.webhook_attempt (
    ledger_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    attempt int NOT NULL,
    tried_at timestamptz NOT NULL DEFAULT now(),
    outcome text COLLATE "C" NOT NULL,
    status int,
    ms int NOT NULL,
    error text,
    excerpt text,
    next_try_at timestamptz,
    CONSTRAINT webhook_attempt_pk PRIMARY KEY (ledger_id, webhook_id, attempt_id),
    CONSTRAINT webhook_attempt_outcome CHECK (outcome IN ('delivered', 'failed', 'withheld')),
    CONSTRAINT webhook_attempt_webhook FOREIGN KEY (ledger_id, webhook_id) REFERENCES stet.webhook ON DELETE CASCADE
);
COMMENT ON TABLE stet.webhook_attempt IS 'How each attempt to send went. Kept for 30 days.';
CREATE INDEX webhook_attempt_old ON stet.webhook_attempt (tried_at);

CALL stet.keep_apart('stet.webhook');
CALL stet.keep_apart('stet.webhook_secret');
CALL stet.keep_apart('stet.webhook_queue');
CALL stet.keep_apart('stet.webhook_attempt');

-- Whoever serves the API: changes webhooks, asks for what to send, and reads how it goes; not a secret.
GRANT SELECT, DELETE, INSERT,
    UPDATE (url, description, kinds, incidents, types, position, paused_at, paused_reason, created_by, audience)
    ON stet.webhook TO stet_application;
GRANT INSERT, SELECT (ledger_id, webhook_id, secret_id, created_at, expires_at), UPDATE (expires_at)
    ON stet.webhook_secret TO stet_application;
GRANT SELECT, DELETE, INSERT, UPDATE (attempts, first_tried_at, next_try_at) ON stet.webhook_queue TO stet_application;
GRANT SELECT ON stet.webhook_attempt TO stet_application;

-- What sends.
GRANT SELECT ON stet.key TO stet_worker;
GRANT SELECT, UPDATE (position, paused_at, paused_reason) ON stet.webhook TO stet_worker;
GRANT SELECT, DELETE ON stet.webhook_secret TO stet_worker;
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, first_tried_at, next_try_at) ON stet.webhook_queue TO stet_worker;
GRANT SELECT, INSERT, DELETE ON stet.webhook_attempt TO stet_worker;

RESET ROLE;
