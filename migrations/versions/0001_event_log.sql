-- The log: one dense, gap-free, commit-ordered sequence of events per ledger (docs/adr/0001).
-- Everything here stays within PostgreSQL 15. Nothing joins two ledgers: every key starts with ledger_id.

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the database must be encoded in UTF8, not %', current_setting('server_encoding')
            USING HINT = 'CREATE DATABASE stet ENCODING ''UTF8'' TEMPLATE template0';
    END IF;
    IF current_setting('server_version_num')::int < 150000 THEN
        RAISE EXCEPTION 'PostgreSQL 15 or later is needed, this is %', current_setting('server_version');
    END IF;
END
$$;

-- Roles belong to the whole server, so another database of it, or another process at this moment, may
-- have made them. The owner never logs in; a login of your own is granted stet_application or stet_reader.
DO $$
DECLARE
    wanted text;
    -- From PostgreSQL 16 on, who makes a role may grant it, but is not yet allowed to become it.
    needed text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['stet_owner', 'stet_application', 'stet_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, wanted, needed) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END
$$;

-- Every process looks at the schema's version when it starts.
GRANT SELECT ON stet_migration TO stet_application, stet_reader;

CREATE SCHEMA stet AUTHORIZATION stet_owner;
SET LOCAL ROLE stet_owner;

COMMENT ON SCHEMA stet IS 'Stet: an incident database in which nothing is ever overwritten.';

CREATE TABLE stet.instance (
    only_row boolean NOT NULL DEFAULT true,
    cursor_secret bytea NOT NULL,
    CONSTRAINT instance_pk PRIMARY KEY (only_row),
    CONSTRAINT instance_one_row CHECK (only_row)
);
COMMENT ON TABLE stet.instance IS 'What all processes of one installation share: the key that signs list cursors.';
INSERT INTO stet.instance (cursor_secret) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

CREATE TABLE stet.ledger (
    ledger_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    CONSTRAINT ledger_pk PRIMARY KEY (ledger_id),
    CONSTRAINT ledger_name UNIQUE (name)
);
COMMENT ON TABLE stet.ledger IS 'The immutable name of each ledger. Everything else about it is in its log.';

CREATE TABLE stet.head (
    ledger_id uuid NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT head_pk PRIMARY KEY (ledger_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE stet.head IS 'The last position of each log and when it was recorded. Its row lock is the order of the log.';

CREATE TABLE stet.event (
    ledger_id uuid NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    stream_version bigint NOT NULL,
    event_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    schema_version smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    -- json, not jsonb: it keeps the bytes as they were hashed.
    payload json NOT NULL,
    salt bytea NOT NULL,
    payload_digest bytea NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT event_pk PRIMARY KEY (ledger_id, position),
    CONSTRAINT event_stream_version UNIQUE (ledger_id, stream, stream_version),
    -- The leaf joins its fields by line feeds, so no field may hold one.
    CONSTRAINT event_one_line CHECK (strpos(stream || type || actor, E'\n') = 0)
);
COMMENT ON TABLE stet.event IS 'The log. Append-only: by grants, by triggers that always fire, and by one guarded function.';
-- An instant is resolved to the last append at or before it.
CREATE INDEX event_recorded_at ON stet.event (ledger_id, recorded_at, position);
-- The plain lists: the first event of each stream, by kind of stream, in the order of the log.
CREATE INDEX event_first ON stet.event (ledger_id, split_part(stream, ':', 1), position) WHERE stream_version = 1;

CREATE TABLE stet.idempotency (
    ledger_id uuid NOT NULL,
    actor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    request_digest bytea NOT NULL,
    status smallint NOT NULL,
    location text NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT idempotency_pk PRIMARY KEY (ledger_id, actor, key)
);
COMMENT ON TABLE stet.idempotency IS 'What a write with an Idempotency-Key was answered, kept for ever.';

CREATE TABLE stet.reference (
    ledger_id uuid NOT NULL,
    target text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    CONSTRAINT reference_pk PRIMARY KEY (ledger_id, target, role, stream),
    CONSTRAINT reference_role CHECK (role IN ('holds', 'hangs', 'names'))
);
COMMENT ON TABLE stet.reference IS
    'What a stream has to do with a target (document:ID, source:ID, statement:ID): it holds that statement, has times that hang on the target, or only names it.';

CREATE FUNCTION stet.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

CREATE FUNCTION stet.refuse_forgery() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Positions are dense, so one that is free lies beyond the head; stet.append moves the head first.
    IF EXISTS (
        SELECT FROM inserted i
        LEFT JOIN stet.head h ON h.ledger_id = i.ledger_id
        WHERE h.position IS NULL OR i.position < 1 OR i.position > h.position OR i.recorded_at > h.recorded_at
    ) THEN
        RAISE EXCEPTION 'the log is append-only: events enter it by stet.append'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER event_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stet.event
    FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_change();
CREATE TRIGGER event_refuse_forgery AFTER INSERT ON stet.event
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_forgery();
-- ALWAYS: they fire under session_replication_role = replica, too.
ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_change;
ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_forgery;

CREATE FUNCTION stet.leaf(
    ledger_id uuid, "position" bigint, stream text, stream_version bigint, event_id uuid, type text,
    schema_version smallint, recorded_at timestamptz, actor text, correlation_id uuid, causation_id uuid,
    payload_digest bytea
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.sha256('\x00'::bytea || pg_catalog.convert_to(
        'stet-event-1' || E'\n' || $1 || E'\n' || $2 || E'\n' || $3 || E'\n' || $4 || E'\n' || $5 || E'\n' || $6
        || E'\n' || $7 || E'\n' || pg_catalog.to_char($8 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || E'\n' || $9 || E'\n' || $10 || E'\n' || coalesce($11::text, '') || E'\n' || pg_catalog.encode($12, 'hex'),
        'UTF8'))
$$;
COMMENT ON FUNCTION stet.leaf IS 'The leaf hash of RFC 6962 over the event''s envelope and the digest of its payload.';

-- Appends a group of commands: all of them, or, if any is stale or repeated, none; o_stale and o_repeated name
-- those, and the others may be sent again without them. Stale: a stream that the command read has another version,
-- or a target that it fanned out from has other dependants. Repeated: its idempotency key is taken.
-- Commands are numbered from 1 by the order of p_actor; the other arrays name their command and are ordered by it.
-- Every stream with an event must be among the checks. A command without events is only checked, and its key kept.
CREATE FUNCTION stet.append(
    p_ledger_id uuid,
    p_ledger_name text,
    p_actor text[], p_correlation_id uuid[],
    p_key text[], p_request_digest bytea[], p_status smallint[], p_location text[],
    p_check_command int[], p_check_stream text[], p_check_version bigint[],
    p_fanout_command int[], p_fanout_target text[], p_fanout_count bigint[],
    p_event_command int[], p_stream text[], p_event_id uuid[], p_type text[], p_schema_version smallint[],
    p_causation_id uuid[], p_payload text[],
    p_reference_target text[], p_reference_stream text[], p_reference_role text[],
    OUT o_position bigint, OUT o_stale int[], OUT o_repeated int[]
)
-- A generic plan: made for each call, the plans would take longer than the append.
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_keys boolean := coalesce(array_length(array_remove(p_key, NULL), 1), 0) > 0;
    v_recorded_at timestamptz;
    v_inserted int;
    v_command int;
    v_last int := 1;
BEGIN
    -- Times and positions follow from these numbers, so they are not taken on trust. Arrays may begin anywhere.
    IF array_lower(p_actor, 1) <> 1 OR array_lower(p_correlation_id, 1) <> 1 THEN
        RAISE EXCEPTION 'commands are numbered from 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOREACH v_command IN ARRAY p_event_command LOOP
        IF v_command IS NULL OR v_command < v_last OR v_command > cardinality(p_actor) THEN
            RAISE EXCEPTION 'events are ordered by their commands' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        v_last := v_command;
    END LOOP;
    IF p_ledger_name IS NOT NULL THEN
        IF p_stream[1] IS DISTINCT FROM 'ledger:' || p_ledger_id THEN
            RAISE EXCEPTION 'a ledger begins with its own stream' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        INSERT INTO stet.ledger (ledger_id, name) VALUES (p_ledger_id, p_ledger_name);
        INSERT INTO stet.head (ledger_id, position, recorded_at) VALUES (p_ledger_id, 0, '-infinity');
    END IF;

    -- The lock is its own statement: under READ COMMITTED what follows then sees all that committed before.
    SELECT h.position, h.recorded_at INTO o_position, v_recorded_at
    FROM stet.head h WHERE h.ledger_id = p_ledger_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no ledger %', p_ledger_id USING ERRCODE = 'no_data_found';
    END IF;
    v_recorded_at := greatest(clock_timestamp(), v_recorded_at + interval '1 microsecond');

    IF v_keys THEN
        SELECT array_agg(c.command) INTO o_repeated
        FROM unnest(p_actor, p_key) WITH ORDINALITY c(actor, key, command)
        JOIN stet.idempotency i ON i.ledger_id = p_ledger_id AND i.actor = c.actor AND i.key = c.key;
    END IF;
    SELECT array_agg(DISTINCT c.command) INTO o_stale
    FROM unnest(p_check_command, p_check_stream, p_check_version) c(command, stream, version)
    WHERE c.version <> coalesce((
            SELECT e.stream_version FROM stet.event e
            WHERE e.ledger_id = p_ledger_id AND e.stream = c.stream
            ORDER BY e.stream_version DESC LIMIT 1), 0)
       OR EXISTS (
            SELECT FROM unnest(p_event_command, p_stream) w(command, stream)
            WHERE w.stream = c.stream AND w.command < c.command);
    IF cardinality(p_fanout_command) > 0 THEN
        SELECT array_agg(f.command) || o_stale INTO o_stale
        FROM unnest(p_fanout_command, p_fanout_target, p_fanout_count) f(command, target, seen)
        WHERE f.seen <> (SELECT count(*) FROM stet.reference r
                         WHERE r.ledger_id = p_ledger_id AND r.target = f.target AND r.role = 'hangs');
    END IF;
    IF o_stale IS NOT NULL OR o_repeated IS NOT NULL THEN
        IF p_ledger_name IS NOT NULL THEN
            RAISE EXCEPTION 'a ledger begins with nothing before it' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RETURN;
    END IF;

    IF cardinality(p_event_command) > 0 THEN
        UPDATE stet.head h
        SET position = o_position + cardinality(p_event_command),
            -- Of the last event; commands without events may follow it.
            recorded_at = v_recorded_at + (p_event_command[cardinality(p_event_command)] - 1) * interval '1 microsecond'
        WHERE h.ledger_id = p_ledger_id;

        WITH numbered AS MATERIALIZED (
            SELECT o_position + e.ordinal AS position, e.stream,
                   c.version + row_number() OVER (PARTITION BY e.command, e.stream ORDER BY e.ordinal) AS stream_version,
                   e.event_id, e.type, e.schema_version,
                   v_recorded_at + (e.command - 1) * interval '1 microsecond' AS recorded_at,
                   p_actor[e.command] AS actor, p_correlation_id[e.command] AS correlation_id, e.causation_id,
                   e.payload, uuid_send(gen_random_uuid()) AS salt
            FROM unnest(p_event_command, p_stream, p_event_id, p_type, p_schema_version, p_causation_id, p_payload)
                 WITH ORDINALITY e(command, stream, event_id, type, schema_version, causation_id, payload, ordinal)
            JOIN unnest(p_check_command, p_check_stream, p_check_version) c(command, stream, version)
              ON c.command = e.command AND c.stream = e.stream
        ), hashed AS (
            SELECT n.*, sha256(n.salt || convert_to(n.payload, 'UTF8')) AS payload_digest FROM numbered n
        )
        INSERT INTO stet.event (
            ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
            actor, correlation_id, causation_id, payload, salt, payload_digest, leaf)
        SELECT p_ledger_id, n.position, n.stream, n.stream_version, n.event_id, n.type, n.schema_version,
               n.recorded_at, n.actor, n.correlation_id, n.causation_id, n.payload::json, n.salt, n.payload_digest,
               stet.leaf(p_ledger_id, n.position, n.stream, n.stream_version, n.event_id, n.type,
                         n.schema_version, n.recorded_at, n.actor, n.correlation_id, n.causation_id, n.payload_digest)
        FROM hashed n;
        GET DIAGNOSTICS v_inserted = ROW_COUNT;
        IF v_inserted <> cardinality(p_event_command) THEN
            RAISE EXCEPTION 'each stream with an event needs exactly one expected version'
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;

    IF cardinality(p_reference_target) > 0 THEN
        INSERT INTO stet.reference (ledger_id, target, stream, role)
        SELECT DISTINCT p_ledger_id, r.target, r.stream, r.role
        FROM unnest(p_reference_target, p_reference_stream, p_reference_role) r(target, stream, role)
        ON CONFLICT DO NOTHING;
    END IF;
    IF v_keys THEN
        INSERT INTO stet.idempotency (ledger_id, actor, key, request_digest, status, location, position)
        SELECT p_ledger_id, c.actor, c.key, c.request_digest, c.status, c.location,
               o_position + (SELECT count(*) FROM unnest(p_event_command) e WHERE e <= c.command)
        FROM unnest(p_actor, p_key, p_request_digest, p_status, p_location)
             WITH ORDINALITY c(actor, key, request_digest, status, location, command)
        WHERE c.key IS NOT NULL;
    END IF;
END
$$;

-- Holds the order of the log until the transaction ends: nobody else appends meanwhile.
CREATE FUNCTION stet.hold(p_ledger_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT FROM stet.head h WHERE h.ledger_id = p_ledger_id FOR UPDATE
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA stet FROM PUBLIC;
GRANT USAGE ON SCHEMA stet TO stet_application, stet_reader;
GRANT SELECT ON stet.instance, stet.ledger, stet.head, stet.event, stet.idempotency, stet.reference TO stet_application;
GRANT SELECT ON stet.ledger, stet.head, stet.event, stet.reference TO stet_reader;
GRANT EXECUTE ON FUNCTION stet.append, stet.hold, stet.leaf TO stet_application;
GRANT EXECUTE ON FUNCTION stet.leaf TO stet_reader;

RESET ROLE;
