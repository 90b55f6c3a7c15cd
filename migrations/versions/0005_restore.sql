-- The way in for the whole log of a ledger that is not there, with the times and hashes that it has (docs/adr/0016).

SET LOCAL ROLE stet_owner;

CREATE FUNCTION stet.begin_restore() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
    -- Of this session alone, and gone with the transaction: a restore that dies leaves nothing.
    CREATE TEMP TABLE restored_event (LIKE stet.event) ON COMMIT DROP;
    CREATE TEMP TABLE restored_reference (LIKE stet.reference) ON COMMIT DROP;
    CREATE TEMP TABLE restored_answer (LIKE stet.idempotency) ON COMMIT DROP;
END
$$;
COMMENT ON FUNCTION stet.begin_restore IS
    'Makes the tables restored_event, restored_reference and restored_answer, which are copied to before stet.restore.';

-- Takes what was copied to the tables of stet.begin_restore as the log of a ledger; the position of its head.
-- Nothing is taken on trust: every position, version, time, digest and leaf is checked, and the first that is wrong
-- is named. It is executed by stet_owner alone, for it is the one way to a recorded_at that is not the clock's.
CREATE FUNCTION stet.restore(p_ledger_id uuid, p_name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    v_position bigint;
    v_fault text;
    v_first text;
    v_recorded_at timestamptz;
BEGIN
    -- First of all: who restores the same ledger at the same time waits here, and is then refused by the unique keys.
    INSERT INTO stet.ledger (ledger_id, name) VALUES (p_ledger_id, p_name);

    SELECT c.position, c.fault INTO v_position, v_fault
    FROM (
        SELECT e.position, CASE
            WHEN e.position <> row_number() OVER log THEN 'the positions are not 1, 2, 3 up to it'
            WHEN e.ledger_id <> p_ledger_id THEN 'it is of another ledger'
            WHEN NOT isfinite(e.recorded_at) OR e.recorded_at < lag(e.recorded_at) OVER log
                THEN 'it was recorded before the one in front of it'
            WHEN e.recorded_at = lag(e.recorded_at) OVER log
                AND e.correlation_id <> lag(e.correlation_id) OVER log
                THEN 'it was recorded at the same time as the append in front of it, which is another'
            WHEN e.stream_version <> row_number() OVER (PARTITION BY e.stream ORDER BY e.position)
                THEN 'the versions of its stream are not 1, 2, 3 up to it'
            END AS fault
        FROM pg_temp.restored_event e
        WINDOW log AS (ORDER BY e.position)
    ) c
    WHERE c.fault IS NOT NULL
    ORDER BY c.position LIMIT 1;
    IF v_fault IS NULL THEN
        SELECT min(e.position), 'its payload is not that of its digest, or its envelope not that of its leaf'
        INTO v_position, v_fault
        FROM pg_temp.restored_event e
        WHERE sha256(e.salt || convert_to(e.payload::text, 'UTF8')) <> e.payload_digest
           OR octet_length(e.salt) <> 16
           OR e.leaf IS DISTINCT FROM stet.leaf(
                e.ledger_id, e.position, e.stream, e.stream_version, e.event_id, e.type, e.schema_version,
                e.recorded_at, e.actor, e.correlation_id, e.causation_id, e.payload_digest);
    END IF;
    IF v_position IS NOT NULL THEN
        RAISE EXCEPTION 'position %: %', v_position, v_fault USING ERRCODE = 'data_exception';
    END IF;

    SELECT e.type || ' ' || e.stream || ' ' || (e.payload ->> 'name') INTO v_first
    FROM pg_temp.restored_event e WHERE e.position = 1;
    IF v_first IS DISTINCT FROM 'ledger-created ledger:' || p_ledger_id || ' ' || p_name THEN
        RAISE EXCEPTION 'position 1: it does not create the ledger %', p_name USING ERRCODE = 'data_exception';
    END IF;

    SELECT e.position, e.recorded_at INTO v_position, v_recorded_at
    FROM pg_temp.restored_event e ORDER BY e.position DESC LIMIT 1;
    INSERT INTO stet.head (ledger_id, position, recorded_at) VALUES (p_ledger_id, v_position, v_recorded_at);
    INSERT INTO stet.event (
        ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
        actor, correlation_id, causation_id, payload, salt, payload_digest, leaf)
    SELECT ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
           actor, correlation_id, causation_id, payload, salt, payload_digest, leaf
    FROM pg_temp.restored_event;

    INSERT INTO stet.reference (ledger_id, target, stream, role)
    -- In the order of the key: its index is then written from one end to the other.
    SELECT DISTINCT p_ledger_id, r.target, r.stream, r.role FROM pg_temp.restored_reference r
    ORDER BY r.target, r.role, r.stream;
    IF EXISTS (
        SELECT FROM pg_temp.restored_answer a
        WHERE a.ledger_id <> p_ledger_id OR a.position < 1 OR a.position > v_position
    ) THEN
        RAISE EXCEPTION 'an answer is not of this log' USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO stet.idempotency (ledger_id, actor, key, request_digest, status, location, position)
    SELECT ledger_id, actor, key, request_digest, status, location, position FROM pg_temp.restored_answer;
    RETURN v_position;
END
$$;
COMMENT ON FUNCTION stet.restore IS
    'Takes an exported log as that of a ledger which is not there, if every hash of it is right.';

REVOKE ALL ON FUNCTION stet.begin_restore, stet.restore FROM PUBLIC;

RESET ROLE;
