-- Redaction: what an event said may be erased, by an event that names the hash of what is left (docs/adr/0025).

SET LOCAL ROLE stet_owner;

ALTER TABLE stet.event
    ADD COLUMN redacted_by bigint,
    ADD CONSTRAINT event_redacted CHECK (redacted_by > position);
COMMENT ON COLUMN stet.event.redacted_by IS
    'The position of the payload-redacted by which some of the payload was erased: the digest is that of the whole, with '
    'a salt that is erased, too.';
CREATE INDEX event_redaction ON stet.event (ledger_id, type, position)
    WHERE type IN ('redaction-proposed', 'payload-redacted');

-- Who proposes a redaction says where the secret stands.
DROP INDEX stet.event_visibility;
CREATE INDEX event_visibility ON stet.event (ledger_id, stream)
    WHERE type IN (
        'visibility-changed', 'reference-hidden', 'statement-proposed', 'statement-rejected', 'redaction-proposed');

CREATE FUNCTION stet.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_position bigint;
    v_by bigint;
BEGIN
    -- Each redaction is read once, however much it erases.
    WITH said AS MATERIALIZED (
        SELECT r.ledger_id, r.position AS redacted_by, r.stream, (
                   SELECT jsonb_object_agg(e.erased ->> 'position', e.erased ->> 'tombstone')
                   FROM json_array_elements(r.payload -> 'events') e(erased)) AS tombstones
        FROM stet.event r
        WHERE (r.ledger_id, r.position) IN (SELECT n.ledger_id, n.redacted_by FROM rewritten n)
          AND r.type = 'payload-redacted'
    )
    SELECT n.position, n.redacted_by INTO v_position, v_by
    FROM rewritten n
    LEFT JOIN stored o ON o.ledger_id = n.ledger_id AND o.position = n.position
    LEFT JOIN said s
      ON s.ledger_id = n.ledger_id AND s.redacted_by = n.redacted_by AND s.stream = n.stream
    -- The other columns are kept from changing by event_refuse_change, but for those that another trigger may set.
    WHERE (o.ledger_id, o.position, o.stream, o.stream_version, o.event_id, o.type, o.schema_version,
           o.recorded_at, o.actor, o.correlation_id, o.causation_id, o.payload_digest, o.leaf)
       IS DISTINCT FROM
       (n.ledger_id, n.position, n.stream, n.stream_version, n.event_id, n.type, n.schema_version,
        n.recorded_at, n.actor, n.correlation_id, n.causation_id, n.payload_digest, n.leaf)
       -- With a salt that was there before, what is erased could be guessed.
       OR n.salt = o.salt
       OR octet_length(n.salt) <> 16
       OR n.redacted_by IS NULL
       OR n.redacted_by <= greatest(n.position, o.redacted_by)
       -- What a redaction says of others is what they are checked by.
       OR (n.type = 'payload-redacted'
           AND (n.payload -> 'events')::text IS DISTINCT FROM (o.payload -> 'events')::text)
       OR s.tombstones ->> n.position::text
          IS DISTINCT FROM encode(sha256(n.salt || convert_to(n.payload::text, 'UTF8')), 'hex')
    ORDER BY n.position LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the log is append-only: event % is not redacted so by %', v_position, v_by
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$$;

-- An UPDATE may set nothing but what a redaction erases; its rows are looked at when all that could change them has.
DROP TRIGGER event_refuse_change ON stet.event;
CREATE TRIGGER event_refuse_change
    BEFORE DELETE OR TRUNCATE OR UPDATE OF
        ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
        actor, correlation_id, causation_id, payload_digest, leaf
    ON stet.event FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_change();
CREATE TRIGGER event_refuse_rewriting AFTER UPDATE ON stet.event
    REFERENCING OLD TABLE AS stored NEW TABLE AS rewritten
    FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_rewriting();
ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_change;
ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_rewriting;

-- Erases payloads, each by the payload-redacted at the position beside it, which is in the log already; and what else
-- was kept of them outside of the projections. The rows of these are written anew by whoever calls this.
CREATE FUNCTION stet.redact(
    p_ledger_id uuid, p_position bigint[], p_redacted_by bigint[], p_payload text[], p_salt bytea[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_streams text[];
    v_erased int;
    v_ids uuid[];
    v_kept regclass;
    v_id name;
BEGIN
    WITH erased AS (
        UPDATE stet.event e
        SET payload = r.payload::json, salt = r.salt, redacted_by = r.redacted_by
        FROM unnest(p_position, p_redacted_by, p_payload, p_salt) r(position, redacted_by, payload, salt)
        WHERE e.ledger_id = p_ledger_id AND e.position = r.position
        RETURNING e.stream
    )
    SELECT array_agg(DISTINCT stream), count(*) INTO v_streams, v_erased FROM erased;
    IF v_erased <> cardinality(p_position) THEN
        RAISE EXCEPTION 'there is not each of these events once' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- A digest of few words can be guessed. So it goes for every request about the same things, also for those that
    -- led to nothing, and for that which wrote the event from elsewhere.
    UPDATE stet.idempotency i SET request_digest = ''
    WHERE i.ledger_id = p_ledger_id AND (
        EXISTS (SELECT FROM unnest(v_streams) s(stream) WHERE strpos(i.location, split_part(s.stream, ':', 2)) > 0)
        -- A request of rows names no incident, only the source.
        OR EXISTS (
            SELECT FROM stet.reference r
            WHERE r.ledger_id = i.ledger_id AND r.stream = ANY (v_streams)
              AND r.target = 'source:' || split_part(i.location, '/records/', 2))
        OR i.position IN (
            SELECT max(a.position)
            FROM stet.event e JOIN stet.event a ON a.ledger_id = e.ledger_id AND a.recorded_at = e.recorded_at
            WHERE e.ledger_id = p_ledger_id AND e.position = ANY (p_position)
            GROUP BY e.recorded_at));
    -- What receivers answered may repeat what they were sent.
    UPDATE stet.webhook_attempt w SET excerpt = NULL, error = CASE WHEN w.error IS NOT NULL THEN 'it failed' END
    WHERE w.ledger_id = p_ledger_id AND w.stream = ANY (v_streams);
    UPDATE stet.parked p SET error = 'erased by a redaction'
    WHERE p.ledger_id = p_ledger_id AND p.stream = ANY (v_streams);
    UPDATE stet.rebuild b SET differences = '[]' WHERE b.differences::text <> '[]';
    -- What a rebuild has replaced. Dropped, for ANALYZE leaves the statistics of an empty table as they are; but not where
    -- that would wait for whoever dumps the database, and others for us.
    SELECT array_agg(split_part(s.stream, ':', 2)::uuid) INTO v_ids FROM unnest(v_streams) s(stream);
    FOR v_kept, v_id IN
        SELECT c.oid, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'stet'::regnamespace AND c.relkind = 'r' AND c.relname LIKE '%\_history\_old'
          AND a.attname IN ('incident_id', 'id')
    LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', v_kept);
            EXECUTE format('DROP TABLE %s', v_kept);
        EXCEPTION WHEN lock_not_available THEN
            EXECUTE format('DELETE FROM %s WHERE ledger_id = $1 AND %I = ANY ($2)', v_kept, v_id)
                USING p_ledger_id, v_ids;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION stet.redact IS 'Erases payloads, as payload-redacted events of the same streams say.';
REVOKE ALL ON FUNCTION stet.refuse_rewriting, stet.redact FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stet.redact TO stet_application;
-- The rows of any projection may be written anew.
GRANT DELETE ON stet.name_history, stet.restriction_history TO stet_application;

-- A log may have redacted events: each as the last redaction of it says.
CREATE OR REPLACE FUNCTION stet.restore(p_ledger_id uuid, p_name text) RETURNS bigint
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
        WHERE octet_length(e.salt) <> 16
           OR (e.redacted_by IS NULL
               AND sha256(e.salt || convert_to(e.payload::text, 'UTF8')) IS DISTINCT FROM e.payload_digest)
           OR e.leaf IS DISTINCT FROM stet.leaf(
                e.ledger_id, e.position, e.stream, e.stream_version, e.event_id, e.type, e.schema_version,
                e.recorded_at, e.actor, e.correlation_id, e.causation_id, e.payload_digest);
    END IF;
    IF v_position IS NULL THEN
        -- The payload of an event that was redacted is that which the last redaction of it names, and none is left out.
        SELECT min(coalesce(e.position, r.erased)), 'it is not redacted as its stream says'
        INTO v_position, v_fault
        FROM (
            SELECT p.stream, p.position AS redacted_by, (x.erased ->> 'position')::bigint AS erased,
                   x.erased ->> 'tombstone' AS tombstone,
                   row_number() OVER (
                       PARTITION BY x.erased ->> 'position' ORDER BY p.position DESC) AS nth
            FROM pg_temp.restored_event p CROSS JOIN LATERAL json_array_elements(p.payload -> 'events') x(erased)
            WHERE p.type = 'payload-redacted'
        ) r
        FULL JOIN (SELECT * FROM pg_temp.restored_event WHERE redacted_by IS NOT NULL) e ON e.position = r.erased
        WHERE (r.nth = 1 OR r.nth IS NULL) AND (
            e.redacted_by IS DISTINCT FROM r.redacted_by OR e.stream IS DISTINCT FROM r.stream
            OR encode(sha256(e.salt || convert_to(e.payload::text, 'UTF8')), 'hex') IS DISTINCT FROM r.tombstone);
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
        actor, correlation_id, causation_id, payload, salt, payload_digest, leaf, redacted_by)
    SELECT ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at,
           actor, correlation_id, causation_id, payload, salt, payload_digest, leaf, redacted_by
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

RESET ROLE;
