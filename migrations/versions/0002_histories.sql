-- The histories: what lists and search answer from, at any position and said time (docs/architecture.md has the law).
-- A row holds for the positions [from_position, to_position); the greatest bigint: it is live.

SET LOCAL ROLE stet_owner;

CREATE TABLE stet.projection (
    name text COLLATE "C" NOT NULL,
    version int NOT NULL,
    CONSTRAINT projection_pk PRIMARY KEY (name)
);
COMMENT ON TABLE stet.projection IS 'By which version of its rules each projection was built.';

CREATE TABLE stet.incident_history (
    ledger_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    audience text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL DEFAULT 9223372036854775807,
    said_from timestamptz NOT NULL,
    said_to timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    title text NOT NULL,
    title_order text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    tags text[] COLLATE "C" NOT NULL,
    occurred_from timestamptz,
    occurred_to timestamptz,
    occurred_order timestamptz,
    longitude float8,
    latitude float8,
    radius_m float8,
    killed_min bigint,
    killed_max bigint,
    injured_min bigint,
    injured_max bigint,
    missing_min bigint,
    missing_max bigint,
    detained_min bigint,
    detained_max bigint,
    statuses text[] COLLATE "C" NOT NULL,
    words tsvector NOT NULL,
    summary json NOT NULL,
    CONSTRAINT incident_history_pk PRIMARY KEY (ledger_id, incident_id, audience, said_from, from_position),
    CONSTRAINT incident_history_audience CHECK (audience IN ('all', 'member', 'public')),
    CONSTRAINT incident_history_positions CHECK (from_position < to_position),
    CONSTRAINT incident_history_said CHECK (said_from < said_to OR said_from = 'infinity')
);
COMMENT ON TABLE stet.incident_history IS
    'A row per incident and distinct summary, for a range of positions and of said times.';
COMMENT ON COLUMN stet.incident_history.said_from IS
    'From when on the summary is that of what had been said; infinity: nothing was, only reads without said_by see it.';
COMMENT ON COLUMN stet.incident_history.statuses IS 'ATTRIBUTE and ATTRIBUTE=STATUS of each resolved attribute.';
-- The current list, in its orders; any past list is the same query at another cut.
CREATE INDEX incident_history_live ON stet.incident_history (ledger_id, opened_at, incident_id)
    WHERE to_position = 9223372036854775807 AND said_to = 'infinity';
CREATE INDEX incident_history_live_kind ON stet.incident_history (ledger_id, kind, opened_at, incident_id)
    WHERE to_position = 9223372036854775807 AND said_to = 'infinity';
CREATE INDEX incident_history_opened ON stet.incident_history
    (ledger_id, opened_at, incident_id, from_position, to_position, said_from, said_to);
CREATE INDEX incident_history_kind ON stet.incident_history
    (ledger_id, kind, opened_at, incident_id, from_position, to_position, said_from, said_to);
CREATE INDEX incident_history_occurred ON stet.incident_history
    (ledger_id, coalesce(occurred_order, 'infinity'), incident_id, from_position, to_position, said_from, said_to);
CREATE INDEX incident_history_occurred_last ON stet.incident_history
    (ledger_id, coalesce(occurred_order, '-infinity'), incident_id, from_position, to_position, said_from, said_to);
CREATE INDEX incident_history_title ON stet.incident_history
    (ledger_id, title_order, incident_id, from_position, to_position, said_from, said_to);
CREATE INDEX incident_history_words ON stet.incident_history USING gin (words);

CREATE TABLE stet.statement_history (
    ledger_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    statement_id uuid NOT NULL,
    audience text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL DEFAULT 9223372036854775807,
    statement_position bigint NOT NULL,
    said_earliest timestamptz NOT NULL,
    said_latest timestamptz NOT NULL,
    speaker uuid NOT NULL,
    relays uuid[] NOT NULL,
    reporters uuid[] NOT NULL,
    channel text,
    attributes text[] COLLATE "C" NOT NULL,
    acts text[] COLLATE "C" NOT NULL,
    retracts uuid,
    words tsvector NOT NULL,
    CONSTRAINT statement_history_pk PRIMARY KEY (ledger_id, incident_id, statement_id, audience, from_position),
    CONSTRAINT statement_history_audience CHECK (audience IN ('all', 'member', 'public')),
    CONSTRAINT statement_history_positions CHECK (from_position < to_position)
);
COMMENT ON TABLE stet.statement_history IS
    'A row per statement of an incident and version of its record. It was kept at said_by from said_latest on.';
CREATE INDEX statement_history_said ON stet.statement_history
    (ledger_id, said_latest, statement_id, incident_id, from_position, to_position);
CREATE INDEX statement_history_recorded ON stet.statement_history
    (ledger_id, statement_position, statement_id, incident_id, from_position, to_position, said_latest);
CREATE INDEX statement_history_speaker ON stet.statement_history
    (ledger_id, speaker, said_latest, statement_id, incident_id, from_position, to_position);
CREATE INDEX statement_history_words ON stet.statement_history USING gin (words);

CREATE TABLE stet.name_history (
    ledger_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL DEFAULT 9223372036854775807,
    words tsvector NOT NULL,
    CONSTRAINT name_history_pk PRIMARY KEY (ledger_id, kind, id, from_position),
    CONSTRAINT name_history_kind CHECK (kind IN ('source', 'document')),
    CONSTRAINT name_history_positions CHECK (from_position < to_position)
);
COMMENT ON TABLE stet.name_history IS
    'By which words sources (names, aliases) and documents (titles, headlines) are found. Joined when read, never stored in other histories.';
CREATE INDEX name_history_words ON stet.name_history USING gin (words);

-- Of an empty log they are right as they are; of any other they are built when this migration is done.
INSERT INTO stet.projection (name, version)
SELECT name, 1 FROM unnest(ARRAY['incident_history', 'statement_history', 'name_history']) name
WHERE NOT EXISTS (SELECT FROM stet.event);

GRANT SELECT ON stet.projection TO stet_application;
GRANT SELECT, INSERT, UPDATE (to_position) ON stet.incident_history, stet.statement_history, stet.name_history
    TO stet_application;
GRANT SELECT ON stet.projection, stet.incident_history, stet.statement_history, stet.name_history TO stet_reader;

-- Discs on the sphere of stet.values.disc, in degrees and metres; its radius is 6371008.8 m. PostgreSQL refuses what
-- underflows: so a difference that is divided or multiplied first loses what is below 1e-13 degrees or 1e-15 m.

CREATE FUNCTION stet.distance_m(lon1 float8, lat1 float8, lon2 float8, lat2 float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- Two chords, of the haversine and of what is left to the opposite point: sums of squares, which neither cancel
    -- nor leave the range of a function. No least() or greatest(): they would take NULL for a number.
    SELECT 2 * 6371008.8 * pg_catalog.atan2(
        pg_catalog.sqrt(
            (pg_catalog.sind((lat2 - lat1 + 360 - 360) / 2) * pg_catalog.cosd((lon2 - lon1 + 720 - 720) / 2)) ^ 2
            + (pg_catalog.cosd((lat2 + lat1 + 360 - 360) / 2) * pg_catalog.sind((lon2 - lon1 + 720 - 720) / 2)) ^ 2
        ),
        pg_catalog.sqrt(
            (pg_catalog.cosd((lat2 - lat1 + 360 - 360) / 2) * pg_catalog.cosd((lon2 - lon1 + 720 - 720) / 2)) ^ 2
            + (pg_catalog.sind((lat2 + lat1 + 360 - 360) / 2) * pg_catalog.sind((lon2 - lon1 + 720 - 720) / 2)) ^ 2
        )
    )
$$;
COMMENT ON FUNCTION stet.distance_m IS 'The great-circle distance of two points, as stet.values.disc.distance_m.';

CREATE FUNCTION stet.box_distance_m(
    lon float8, lat float8, west float8, south float8, east float8, north float8
) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- At any latitude, the nearest point of the box has the longitude nearest to the point's: its own, or that of one
    -- edge, `apart` from it. On that meridian the distance falls towards the foot of the perpendicular, which may lie
    -- beyond a pole, on the other half of the meridian's circle: then one of the edge's ends is nearest.
    -- OFFSET 0: each is computed once, and stet.distance_m, of plain columns, is inlined. Else a call takes ten times
    -- as long.
    SELECT stet.distance_m(0, lat, apart, nearest)
    FROM (
        SELECT apart, CASE
            WHEN apart = 0 THEN greatest(south, least(lat, north))
            WHEN foot BETWEEN south AND north THEN foot
            WHEN pg_catalog.cosd(south - foot) > pg_catalog.cosd(north - foot) THEN south
            ELSE north
        END AS nearest
        FROM (
            SELECT apart,
                   pg_catalog.atan2d(pg_catalog.sind(lat), pg_catalog.cosd(lat) * pg_catalog.cosd(apart)) AS foot
            FROM (
                SELECT CASE
                    WHEN east - west >= 360 OR eastward <= width THEN 0 ELSE least(eastward - width, 360 - eastward)
                END AS apart
                FROM (
                    SELECT lon - west - 360 * (pg_catalog.floor((lon - west + 720) / 360) - 2) AS eastward,
                           east - west - 360 * (pg_catalog.floor((east - west + 720) / 360) - 2) AS width
                ) measured
                OFFSET 0
            ) across
        ) dropped
        OFFSET 0
    ) met
$$;
COMMENT ON FUNCTION stet.box_distance_m IS
    'The distance from a point to the nearest point of a box, 0 within. West of more than east: across the antimeridian.';

CREATE FUNCTION stet.disc_in_box(
    lon float8, lat float8, radius_m float8, west float8, south float8, east float8, north float8
) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT south <= greatest(lat - reach, -90) AND north >= least(lat + reach, 90) AND CASE
        WHEN east - west >= 360 THEN true
        -- A pole has every longitude.
        WHEN lat + reach >= 90 OR lat - reach <= -90 THEN false
        ELSE eastward >= half_width AND eastward + half_width <= width
    END
    FROM (
        SELECT reach, eastward, width,
               -- A CASE does not keep constants from being folded: so each argument is in range, whatever is asked.
               pg_catalog.asind(least(
                   1, pg_catalog.sind(least(reach, 90)) / greatest(pg_catalog.cosd(lat), 1e-300)
               )) AS half_width
        FROM (
            SELECT pg_catalog.degrees((radius_m + 1 - 1) / 6371008.8) AS reach,
                   lon - west - 360 * (pg_catalog.floor((lon - west + 720) / 360) - 2) AS eastward,
                   east - west - 360 * (pg_catalog.floor((east - west + 720) / 360) - 2) AS width
        ) measured
    ) spread
$$;
COMMENT ON FUNCTION stet.disc_in_box IS
    'Whether every point of a disc lies in a box. West of more than east: across the antimeridian.';

REVOKE ALL ON FUNCTION stet.distance_m, stet.box_distance_m, stet.disc_in_box FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stet.distance_m, stet.box_distance_m, stet.disc_in_box TO stet_application, stet_reader;

RESET ROLE;
