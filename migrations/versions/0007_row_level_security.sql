-- Row-level security: a connection sees what the ledger that it is for holds, and nothing where it is for none
-- (docs/adr/0022). It is the second wall: every statement names its ledger all the same.

DO $$
DECLARE
    needed text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
    login regrole;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stet_worker') THEN
        BEGIN
            CREATE ROLE stet_worker NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'stet_worker', needed) THEN
        EXECUTE format('GRANT stet_worker TO %I', current_user);
    END IF;
    -- Who served until this release did the worker's work as stet_application.
    FOR login IN
        SELECT DISTINCT m.member FROM pg_auth_members m
        WHERE m.roleid = 'stet_application'::regrole AND NOT pg_has_role(m.member, 'stet_worker', 'MEMBER')
    LOOP
        BEGIN
            EXECUTE format('GRANT stet_worker TO %s', login);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING 'GRANT stet_worker TO % is for an administrator of the server: until then its worker waits',
                login;
        END;
    END LOOP;
END
$$;

GRANT SELECT ON stet_migration TO stet_worker;

SET LOCAL ROLE stet_owner;

CREATE PROCEDURE stet.keep_apart(p_table regclass)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    -- Of rows that are written, too. It is the same for all rows of a statement, so that indexes serve it.
    EXECUTE format(
        'CREATE POLICY own_ledger ON %s TO stet_application'
        ' USING (ledger_id = nullif(current_setting(''stet.ledger_id'', true), '''')::uuid)', p_table);
    EXECUTE format('CREATE POLICY all_ledgers ON %s TO stet_worker USING (true)', p_table);
    EXECUTE format('CREATE POLICY all_ledgers_to_read ON %s FOR SELECT TO stet_reader USING (true)', p_table);
END
$$;
COMMENT ON PROCEDURE stet.keep_apart IS
    'Shows stet_application only the rows of a table whose ledger_id is the setting stet.ledger_id of its connection.';

-- Before it has looked at the ledger of a row PostgreSQL applies no condition of a query to it, unless it knows that
-- the condition gives nothing away. It does not know that of words, of the kind of a stream, nor of coalesce, and
-- leaves their indexes unused. What is found by those is read through views: the same condition, as the owner, and in
-- any order.
CREATE VIEW stet.first_event AS
    SELECT ledger_id, split_part(stream, ':', 1) AS kind, stream, position
    FROM stet.event
    WHERE stream_version = 1 AND ledger_id = nullif(current_setting('stet.ledger_id', true), '')::uuid;
COMMENT ON VIEW stet.first_event IS 'Where each stream of the connection''s ledger begins.';

CREATE PROCEDURE stet.make_searches()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    history text;
BEGIN
    FOREACH history IN ARRAY ARRAY['incident', 'name', 'statement'] LOOP
        EXECUTE format(
            'CREATE OR REPLACE VIEW stet.%1$s_search AS SELECT * FROM stet.%1$s_history'
            ' WHERE ledger_id = nullif(current_setting(''stet.ledger_id'', true), '''')::uuid', history);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE stet.make_searches IS
    'Makes the views of what is searched: anew where their tables have got columns, or changed places.';
CALL stet.make_searches();
COMMENT ON VIEW stet.incident_search IS 'The rows of incident_history of the connection''s ledger.';
COMMENT ON VIEW stet.name_search IS 'The rows of name_history of the connection''s ledger.';
COMMENT ON VIEW stet.statement_search IS 'The rows of statement_history of the connection''s ledger.';
REVOKE ALL ON PROCEDURE stet.keep_apart, stet.make_searches FROM PUBLIC;
GRANT SELECT ON stet.first_event, stet.incident_search, stet.name_search, stet.statement_search TO stet_application, stet_reader;

-- All tables of ledgers but stet.ledger: whoever asks for a ledger by its name does not know its id yet.
DO $$
DECLARE
    found regclass;
    name text;
BEGIN
    FOR found, name IN
        SELECT c.oid, c.relname FROM pg_class c
        WHERE c.relnamespace = 'stet'::regnamespace AND c.relkind = 'r'
          AND (c.relname IN ('event', 'head', 'idempotency', 'reference', 'checkpoint', 'parked', 'rebuild_worker', 'member', 'audit')
               -- The tables of projections, and those of their rebuilds.
               OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'from_position'))
    LOOP
        CALL stet.keep_apart(found);
        EXECUTE format('GRANT SELECT ON %s TO stet_worker', found);
        IF name NOT IN ('event', 'head', 'idempotency', 'reference', 'checkpoint', 'parked', 'rebuild_worker', 'member', 'audit')
            AND name !~ '^(incident|statement|name)_history' THEN
            EXECUTE format('REVOKE INSERT, UPDATE (to_position) ON %s FROM stet_application', found);
            EXECUTE format('GRANT INSERT, UPDATE (to_position) ON %s TO stet_worker', found);
        END IF;
    END LOOP;
END
$$;

-- What a worker does, and what is asked of it, goes across ledgers.
GRANT USAGE ON SCHEMA stet TO stet_worker;
GRANT SELECT ON stet.ledger, stet.projection, stet.rebuild TO stet_worker;
REVOKE INSERT, UPDATE (position) ON stet.checkpoint FROM stet_application;
REVOKE INSERT, UPDATE (position, error, parked_at), DELETE ON stet.parked FROM stet_application;
REVOKE SELECT, INSERT, UPDATE (cancel, phase, finished_at) ON stet.rebuild FROM stet_application;
REVOKE SELECT ON stet.rebuild_worker FROM stet_application;
GRANT INSERT, UPDATE (position) ON stet.checkpoint TO stet_worker;
GRANT INSERT, UPDATE (position, error, parked_at), DELETE ON stet.parked TO stet_worker;
GRANT INSERT, UPDATE (cancel, phase, finished_at) ON stet.rebuild TO stet_worker;

RESET ROLE;
