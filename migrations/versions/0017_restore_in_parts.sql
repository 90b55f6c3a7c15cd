-- The log that is restored comes in parts, in one transaction: docs/adr/0029.

SET LOCAL ROLE stet_owner;

CREATE OR REPLACE FUNCTION stet.begin_restore() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
    -- Of this session alone, and gone with the transaction: a restore that dies leaves nothing.
    DROP TABLE IF EXISTS pg_temp.restored_event, pg_temp.restored_reference, pg_temp.restored_answer,
        pg_temp.restored_redaction, pg_temp.restored_ledger;
    CREATE TEMP TABLE restored_event (LIKE stet.event) ON COMMIT DROP;
    CREATE TEMP TABLE restored_reference (LIKE stet.reference) ON COMMIT DROP;
    CREATE TEMP TABLE restored_answer (LIKE stet.idempotency) ON COMMIT DROP;
    -- What was redacted, and the redactions, of the parts that were taken; and the ledger that they are of.
    CREATE TEMP TABLE restored_redaction (LIKE stet.event) ON COMMIT DROP;
    CREATE TEMP TABLE restored_ledger (LIKE stet.ledger) ON COMMIT DROP;
END
$$;

DROP FUNCTION stet.restore(uuid, text);

-- Takes what was copied to the tables of stet.begin_restore as the log of a ledger, or as the part of it behind what
-- was taken before in this transaction; the position of its head. Behind the last part, not `p_more`, it is whole.
-- Nothing is taken on trust: every position, version, time, digest and leaf is checked, and the first that is wrong
-- is named. It is executed by stet_owner alone, for it is the one way to a recorded_at that is not the clock's.
CREATE FUNCTION stet.restore(p_ledger_id uuid, p_name text, p_more boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
-- A plan for the empty tables of the beginning would be a bad one for those that they become.
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_head bigint := 0;
    v_recorded_at timestamptz;
    v_correlation_id uuid;
    v_position bigint;
    v_fault text;
    v_first text;
BEGIN
    IF EXISTS (SELECT FROM pg_temp.restored_ledger l WHERE l.ledger_id = p_ledger_id AND l.name = p_name) THEN
        SELECT h.position, h.recorded_at, e.correlation_id INTO STRICT v_head, v_recorded_at, v_correlation_id
        FROM stet.head h JOIN stet.event e ON e.ledger_id = h.ledger_id AND e.position = h.position
        WHERE h.ledger_id = p_ledger_id;
    ELSE
        -- First of all: who restores the same ledger at the same time waits here, and is then refused by the unique
        -- keys.
        INSERT INTO stet.ledger (ledger_id, name) VALUES (p_ledger_id, p_name);
        INSERT INTO pg_temp.restored_ledger (ledger_id, name) VALUES (p_ledger_id, p_name);
    END IF;

    SELECT c.position, c.fault INTO v_position, v_fault
    FROM (
        SELECT e.position, CASE
            WHEN e.position <> v_head + row_number() OVER log THEN 'the positions are not 1, 2, 3 up to it'
            WHEN e.ledger_id <> p_ledger_id THEN 'it is of another ledger'
            WHEN NOT isfinite(e.recorded_at) OR e.recorded_at < lag(e.recorded_at, 1, v_recorded_at) OVER log
                THEN 'it was recorded before the one in front of it'
            WHEN e.recorded_at = lag(e.recorded_at, 1, v_recorded_at) OVER log
                AND e.correlation_id <> lag(e.correlation_id, 1, v_correlation_id) OVER log
                THEN 'it was recorded at the same time as the append in front of it, which is another'
            WHEN e.stream_version <> 1 + coalesce(
                    lag(e.stream_version) OVER (PARTITION BY e.stream ORDER BY e.position),
                    CASE WHEN v_head > 0 THEN (
                        SELECT max(s.stream_version) FROM stet.event s
                        WHERE s.ledger_id = p_ledger_id AND s.stream = e.stream) END,
                    0)
                THEN 'the versions of its stream are not 1, 2, 3 up to it'
            WHEN e.proven IS NOT TRUE THEN 'its payload is not that of its digest, or its envelope not that of its leaf'
            END AS fault
        FROM (
            -- The hashes by themselves, so that what is sorted has no payloads.
            SELECT r.ledger_id, r.position, r.stream, r.stream_version, r.recorded_at, r.correlation_id,
                octet_length(r.salt) = 16
                AND (r.redacted_by IS NOT NULL
                    OR sha256(r.salt || convert_to(r.payload::text, 'UTF8')) = r.payload_digest)
                AND r.leaf IS NOT DISTINCT FROM stet.leaf(
                    r.ledger_id, r.position, r.stream, r.stream_version, r.event_id, r.type, r.schema_version,
                    r.recorded_at, r.actor, r.correlation_id, r.causation_id, r.payload_digest) AS proven
            FROM pg_temp.restored_event r
            OFFSET 0
        ) e
        WINDOW log AS (ORDER BY e.position)
    ) c
    WHERE c.fault IS NOT NULL
    ORDER BY c.position LIMIT 1;
    IF v_position IS NOT NULL THEN
        RAISE EXCEPTION 'position %: %', v_position, v_fault USING ERRCODE = 'data_exception';
    END IF;
    IF v_head = 0 THEN
        SELECT e.type || ' ' || e.stream || ' ' || (e.payload ->> 'name') INTO v_first
        FROM pg_temp.restored_event e WHERE e.position = 1;
        IF v_first IS DISTINCT FROM 'ledger-created ledger:' || p_ledger_id || ' ' || p_name THEN
            RAISE EXCEPTION 'position 1: it does not create the ledger %', p_name USING ERRCODE = 'data_exception';
        END IF;
    END IF;

    INSERT INTO stet.head (ledger_id, position, recorded_at)
    SELECT p_ledger_id, e.position, e.recorded_at FROM pg_temp.restored_event e ORDER BY e.position DESC LIMIT 1
    ON CONFLICT (ledger_id) DO UPDATE SET position = excluded.position, recorded_at = excluded.recorded_at;
    INSERT INTO stet.event (
        ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
        actor, correlation_id, causation_id, payload, salt, payload_digest, leaf, redacted_by)
    SELECT ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
           actor, correlation_id, causation_id, payload, salt, payload_digest, leaf, redacted_by
    FROM pg_temp.restored_event;
    INSERT INTO stet.reference (ledger_id, target, stream, role)
    SELECT p_ledger_id, r.target, r.stream, r.role FROM pg_temp.restored_reference r
    -- In the order of the key, so that its index is written from one end to the other.
    ORDER BY r.target, r.role, r.stream
    ON CONFLICT DO NOTHING;
    INSERT INTO pg_temp.restored_redaction
    SELECT * FROM pg_temp.restored_event e WHERE e.redacted_by IS NOT NULL OR e.type = 'payload-redacted';
    TRUNCATE pg_temp.restored_event, pg_temp.restored_reference;
    SELECT h.position INTO v_head FROM stet.head h WHERE h.ledger_id = p_ledger_id;
    IF p_more THEN
        RETURN v_head;
    END IF;

    -- The payload of an event that was redacted is that which the last redaction of it names, and none is left out.
    SELECT min(coalesce(e.position, r.erased)) INTO v_position
    FROM (
        SELECT p.stream, p.position AS redacted_by, (x.erased ->> 'position')::bigint AS erased,
               x.erased ->> 'tombstone' AS tombstone,
               row_number() OVER (PARTITION BY x.erased ->> 'position' ORDER BY p.position DESC) AS nth
        FROM pg_temp.restored_redaction p CROSS JOIN LATERAL json_array_elements(p.payload -> 'events') x(erased)
        WHERE p.type = 'payload-redacted'
    ) r
    FULL JOIN (SELECT * FROM pg_temp.restored_redaction WHERE redacted_by IS NOT NULL) e ON e.position = r.erased
    WHERE (r.nth = 1 OR r.nth IS NULL) AND (
        e.redacted_by IS DISTINCT FROM r.redacted_by OR e.stream IS DISTINCT FROM r.stream
        OR encode(sha256(e.salt || convert_to(e.payload::text, 'UTF8')), 'hex') IS DISTINCT FROM r.tombstone);
    IF v_position IS NOT NULL THEN
        RAISE EXCEPTION 'position %: it is not redacted as its stream says', v_position
            USING ERRCODE = 'data_exception';
    END IF;
    IF EXISTS (
        SELECT FROM pg_temp.restored_answer a
        WHERE a.ledger_id <> p_ledger_id OR a.position < 1 OR a.position > v_head
    ) THEN
        RAISE EXCEPTION 'an answer is not of this log' USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO stet.idempotency (ledger_id, actor, key, request_digest, status, location, position)
    SELECT ledger_id, actor, key, request_digest, status, location, position FROM pg_temp.restored_answer;
    -- Whole: nothing is added to it.
    TRUNCATE pg_temp.restored_ledger, pg_temp.restored_answer, pg_temp.restored_redaction;
    RETURN v_head;
END
$$;
COMMENT ON FUNCTION stet.restore IS
    'Takes an exported log, part by part, as that of a ledger which is not there, if every hash of it is right.';
REVOKE ALL ON FUNCTION stet.restore FROM PUBLIC;

RESET ROLE;
