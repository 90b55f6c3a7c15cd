-- Visibility: who hides something reaches all that name it, in whatever way.

SET LOCAL ROLE stet_owner;

-- A fan-out counts every dependant of its targets: also those that hold them, or only name them.
CREATE OR REPLACE FUNCTION stet.append(
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

-- Which incidents a statement is about, came from, went to, is directed at or is linked with was not in the table, nor
-- what has taken the place of a statement that was moved.
WITH named AS (
    SELECT e.ledger_id, e.stream, 'incident:' || i.id AS target
    FROM stet.event e
    CROSS JOIN LATERAL json_array_elements_text(e.payload -> 'incidents') i(id)
    WHERE e.type IN ('statement-recorded', 'statement-retracted')
    UNION ALL
    SELECT e.ledger_id, e.stream, 'incident:' || i.id
    FROM stet.event e
    CROSS JOIN LATERAL json_array_elements_text(e.payload #> '{statement,incidents}') i(id)
    WHERE e.type = 'statement-moved-in'
    UNION ALL
    SELECT e.ledger_id, e.stream, 'incident:' || i.id
    FROM stet.event e
    CROSS JOIN LATERAL (
        VALUES (e.payload ->> 'from_incident'), (e.payload ->> 'to_incident'), (e.payload ->> 'incident_id')
    ) i(id)
    WHERE e.type IN ('statement-moved-in', 'statement-moved-out', 'incident-linked') AND i.id IS NOT NULL
    UNION ALL
    SELECT e.ledger_id, e.stream, c.claim ->> 'toward'
    FROM stet.event e
    CROSS JOIN LATERAL json_array_elements(e.payload -> 'claims') c(claim)
    WHERE e.type IN ('statement-recorded', 'statement-corrected') AND c.claim ->> 'toward' LIKE 'incident:%'
    UNION ALL
    SELECT e.ledger_id, e.stream, c.claim ->> 'toward'
    FROM stet.event e
    CROSS JOIN LATERAL json_each(e.payload #> '{statement,claims}') c(id, claim)
    WHERE e.type = 'statement-moved-in' AND c.claim ->> 'toward' LIKE 'incident:%'
    UNION ALL
    SELECT e.ledger_id, e.stream, 'statement:' || (s.superseded ->> 'superseded_by')
    FROM stet.event e
    CROSS JOIN LATERAL json_array_elements(e.payload #> '{statement,superseded}') s(superseded)
    WHERE e.type = 'statement-moved-in'
)
INSERT INTO stet.reference (ledger_id, target, stream, role)
SELECT DISTINCT n.ledger_id, n.target, n.stream, 'names' FROM named n
WHERE n.target <> n.stream
ON CONFLICT DO NOTHING;

RESET ROLE;
