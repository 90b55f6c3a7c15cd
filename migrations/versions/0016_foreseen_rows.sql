-- What one append costs: events go into the log, and the rows that were foreseen into the histories, in one statement.

SET LOCAL ROLE stet_owner;

-- It tells when the first command was recorded, so that nothing needs to be read after it.
DROP FUNCTION stet.append;

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
    OUT o_position bigint, OUT o_stale int[], OUT o_repeated int[], OUT o_recorded_at timestamptz
)
-- A generic plan: made for each call, the plans would take longer than the append.
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_keys boolean := coalesce(array_length(array_remove(p_key, NULL), 1), 0) > 0;
    v_version bigint[];
    v_last_version bigint;
    v_inserted int;
    v_command int;
    v_last int := 1;
BEGIN
    -- Times and positions follow from these numbers, so they are not taken on trust. Arrays may begin anywhere.
    IF array_lower(p_actor, 1) <> 1 OR array_lower(p_correlation_id, 1) <> 1
       OR array_lower(p_check_stream, 1) <> 1 OR array_lower(p_check_version, 1) <> 1 THEN
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
    SELECT h.position, h.recorded_at INTO o_position, o_recorded_at
    FROM stet.head h WHERE h.ledger_id = p_ledger_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no ledger %', p_ledger_id USING ERRCODE = 'no_data_found';
    END IF;
    o_recorded_at := greatest(clock_timestamp(), o_recorded_at + interval '1 microsecond');

    IF v_keys THEN
        SELECT array_agg(c.command) INTO o_repeated
        FROM unnest(p_actor, p_key) WITH ORDINALITY c(actor, key, command)
        JOIN stet.idempotency i ON i.ledger_id = p_ledger_id AND i.actor = c.actor AND i.key = c.key;
    END IF;
    IF cardinality(p_check_stream) = 1 THEN
        -- As below, at half the price: most commands come alone and touch one stream.
        SELECT e.stream_version INTO v_last_version FROM stet.event e
        WHERE e.ledger_id = p_ledger_id AND e.stream = p_check_stream[1]
        ORDER BY e.stream_version DESC LIMIT 1;
        IF coalesce(v_last_version, 0) <> p_check_version[1] THEN
            o_stale := p_check_command;
        END IF;
    ELSE
        SELECT array_agg(c.command) INTO o_stale
        FROM unnest(p_check_command, p_check_stream, p_check_version) c(command, stream, version)
        WHERE c.version <> coalesce((
                SELECT e.stream_version FROM stet.event e
                WHERE e.ledger_id = p_ledger_id AND e.stream = c.stream
                ORDER BY e.stream_version DESC LIMIT 1), 0);
    END IF;
    IF cardinality(p_actor) > 1 THEN
        -- What one before it in the group writes, a command has not seen.
        SELECT array_agg(s.command) INTO o_stale FROM (
            SELECT unnest(o_stale)
            UNION
            SELECT c.command FROM unnest(p_check_command, p_check_stream) c(command, stream)
            JOIN unnest(p_event_command, p_stream) w(command, stream) ON w.stream = c.stream AND w.command < c.command
        ) s(command);
    END IF;
    IF cardinality(p_fanout_command) > 0 THEN
        SELECT array_agg(f.command) || o_stale INTO o_stale
        FROM unnest(p_fanout_command, p_fanout_target, p_fanout_count) f(command, target, seen)
        WHERE f.seen <> (SELECT count(*) FROM stet.reference r
                         WHERE r.ledger_id = p_ledger_id AND r.target = f.target);
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
            recorded_at = o_recorded_at + (p_event_command[cardinality(p_event_command)] - 1) * interval '1 microsecond'
        WHERE h.ledger_id = p_ledger_id;

        IF p_event_command = p_check_command AND p_stream = p_check_stream THEN
            -- One event in each stream: if any stream is there twice, its key refuses that.
            v_version := p_check_version;
        ELSE
            SELECT array_agg(n.version ORDER BY n.ordinal) INTO v_version FROM (
                SELECT e.ordinal,
                       c.version - 1 + row_number() OVER (PARTITION BY e.command, e.stream ORDER BY e.ordinal) AS version
                FROM unnest(p_event_command, p_stream) WITH ORDINALITY e(command, stream, ordinal)
                JOIN unnest(p_check_command, p_check_stream, p_check_version) c(command, stream, version)
                  ON c.command = e.command AND c.stream = e.stream
            ) n;
            IF cardinality(v_version) IS DISTINCT FROM cardinality(p_event_command) THEN
                RAISE EXCEPTION 'each stream with an event needs exactly one expected version'
                    USING ERRCODE = 'invalid_parameter_value';
            END IF;
        END IF;

        -- Materialized: each payload is hashed once.
        WITH hashed AS MATERIALIZED (
            SELECT n.*, sha256(n.salt || convert_to(n.payload, 'UTF8')) AS payload_digest
            FROM (
                SELECT o_position + e.ordinal AS position, e.stream, e.version + 1 AS stream_version,
                       e.event_id, e.type, e.schema_version,
                       o_recorded_at + (e.command - 1) * interval '1 microsecond' AS recorded_at,
                       p_actor[e.command] AS actor, p_correlation_id[e.command] AS correlation_id, e.causation_id,
                       e.payload, uuid_send(gen_random_uuid()) AS salt
                FROM unnest(p_event_command, p_stream, v_version, p_event_id, p_type, p_schema_version,
                            p_causation_id, p_payload)
                     WITH ORDINALITY e(command, stream, version, event_id, type, schema_version,
                                       causation_id, payload, ordinal)
            ) n
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
            RAISE EXCEPTION 'each event needs a stream, an id, a type and a payload'
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
REVOKE ALL ON FUNCTION stet.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stet.append TO stet_application;

CREATE FUNCTION stet.hold_inline(p_ledger_id uuid, p_names text[], p_versions int[]) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_name text;
    v_held boolean;
BEGIN
    -- An expression: a statement for each would take ten times as long.
    FOREACH v_name IN ARRAY p_names LOOP
        v_held := pg_advisory_xact_lock_shared(720311561, hashtext(v_name)) IS NULL;
    END LOOP;
    -- Its own statement: it sees what a switch has left that was waited for.
    PERFORM FROM unnest(p_names, p_versions) w(name, version)
    LEFT JOIN stet.projection p ON p.name = w.name AND p.version = w.version WHERE p.name IS NULL;
    RETURN CASE WHEN FOUND THEN NULL ELSE p_ledger_id END;
END
$$;
COMMENT ON FUNCTION stet.hold_inline(uuid, text[], int[]) IS
    'Keeps the tables of projections from being switched until the transaction ends. The ledger, if each was built by'
    ' the version of its rules beside it; else NULL.';
REVOKE ALL ON FUNCTION stet.hold_inline FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stet.hold_inline TO stet_application;

-- Both are inlined: to add to a time is stable.
CREATE FUNCTION stet.true_position(p_given bigint, p_position bigint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_given > 4611686018427387904 AND p_given < 9223372036854775807
                THEN p_position + (p_given - 4611686018427387904) ELSE p_given END
$$;
CREATE FUNCTION stet.true_time(p_given timestamptz, p_recorded_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_given >= timestamptz '9999-01-01 00:00:00+00' AND p_given < timestamptz 'infinity'
                THEN p_recorded_at + (p_given - timestamptz '9999-01-01 00:00:00+00') ELSE p_given END
$$;
COMMENT ON FUNCTION stet.true_position(bigint, bigint) IS
    'Of 2^62 + n the position that is n after the other; what is less, or the greatest, stays.';
COMMENT ON FUNCTION stet.true_time(timestamptz, timestamptz) IS
    'Of a time in the year 9999 the one that is as much after the other; what is earlier, or infinite, stays.';
REVOKE ALL ON FUNCTION stet.true_position(bigint, bigint), stet.true_time(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stet.true_position(bigint, bigint), stet.true_time(timestamptz, timestamptz) TO stet_application;

-- With the rights of who appends, so that the policies of the tables hold.
CREATE FUNCTION stet.keep_rows(
    p_ledger_id uuid, p_position bigint, p_recorded_at timestamptz,
    p_slices_ended json, p_slices json, p_statements_ended json, p_statements json,
    p_shown_ended json, p_shown json, p_names_ended json, p_names json,
    p_restrictions_ended json, p_restrictions json
) RETURNS int[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_ended int[] := '{0,0,0,0,0}';
    v_count int;
BEGIN
    IF p_slices_ended IS NOT NULL THEN
        UPDATE stet.incident_history h SET to_position = stet.true_position(r.to_position, p_position)
        FROM json_populate_recordset(NULL::stet.incident_history, p_slices_ended) r
        WHERE h.ledger_id = p_ledger_id AND h.to_position = 9223372036854775807
          AND h.incident_id = r.incident_id AND h.audience = r.audience AND h.said_from = r.said_from;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_ended[1] := v_count;
    END IF;
    IF p_statements_ended IS NOT NULL THEN
        UPDATE stet.statement_history h SET to_position = stet.true_position(r.to_position, p_position)
        FROM json_populate_recordset(NULL::stet.statement_history, p_statements_ended) r
        WHERE h.ledger_id = p_ledger_id AND h.to_position = 9223372036854775807
          AND h.incident_id = r.incident_id AND h.audience = r.audience AND h.statement_id = r.statement_id;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_ended[2] := v_count;
    END IF;
    IF p_shown_ended IS NOT NULL THEN
        UPDATE stet.shown_history h SET to_position = stet.true_position(r.to_position, p_position)
        FROM json_populate_recordset(NULL::stet.shown_history, p_shown_ended) r
        WHERE h.ledger_id = p_ledger_id AND h.to_position = 9223372036854775807
          AND h.incident_id = r.incident_id;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_ended[3] := v_count;
    END IF;
    IF p_names_ended IS NOT NULL THEN
        UPDATE stet.name_history h SET to_position = stet.true_position(r.to_position, p_position)
        FROM json_populate_recordset(NULL::stet.name_history, p_names_ended) r
        WHERE h.ledger_id = p_ledger_id AND h.to_position = 9223372036854775807
          AND h.kind = r.kind AND h.id = r.id;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_ended[4] := v_count;
    END IF;
    IF p_restrictions_ended IS NOT NULL THEN
        UPDATE stet.restriction_history h SET to_position = stet.true_position(r.to_position, p_position)
        FROM json_populate_recordset(NULL::stet.restriction_history, p_restrictions_ended) r
        WHERE h.ledger_id = p_ledger_id AND h.to_position = 9223372036854775807
          AND h.kind = r.kind AND h.id = r.id AND h.statement_id = r.statement_id;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_ended[5] := v_count;
    END IF;
    IF p_slices IS NOT NULL THEN
        INSERT INTO stet.incident_history
        SELECT w.*
        FROM json_populate_recordset(NULL::stet.incident_history, p_slices) r,
            LATERAL json_populate_record(r, json_build_object(
                'from_position', stet.true_position(r.from_position, p_position),
                'opened_at', stet.true_time(r.opened_at, p_recorded_at))) w;
    END IF;
    IF p_statements IS NOT NULL THEN
        INSERT INTO stet.statement_history
        SELECT w.*
        FROM json_populate_recordset(NULL::stet.statement_history, p_statements) r,
            LATERAL json_populate_record(r, json_build_object(
                'from_position', stet.true_position(r.from_position, p_position),
                'statement_position', stet.true_position(r.statement_position, p_position))) w;
    END IF;
    IF p_shown IS NOT NULL THEN
        INSERT INTO stet.shown_history
        SELECT w.*
        FROM json_populate_recordset(NULL::stet.shown_history, p_shown) r,
            LATERAL json_populate_record(r, json_build_object(
                'from_position', stet.true_position(r.from_position, p_position),
                'updated_at', stet.true_time(r.updated_at, p_recorded_at),
                'opened_at', stet.true_time(r.opened_at, p_recorded_at))) w;
    END IF;
    IF p_names IS NOT NULL THEN
        INSERT INTO stet.name_history
        SELECT w.*
        FROM json_populate_recordset(NULL::stet.name_history, p_names) r,
            LATERAL json_populate_record(r, json_build_object(
                'from_position', stet.true_position(r.from_position, p_position))) w;
    END IF;
    IF p_restrictions IS NOT NULL THEN
        INSERT INTO stet.restriction_history
        SELECT w.*
        FROM json_populate_recordset(NULL::stet.restriction_history, p_restrictions) r,
            LATERAL json_populate_record(r, json_build_object(
                'from_position', stet.true_position(r.from_position, p_position))) w;
    END IF;
    RETURN v_ended;
END
$$;
COMMENT ON FUNCTION stet.keep_rows IS
    'Ends and adds rows of the inline projections that were foreseen of an append, and places them after a position and'
    ' at a time. How many rows of each table ended.';
REVOKE ALL ON FUNCTION stet.keep_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stet.keep_rows TO stet_application;

RESET ROLE;
