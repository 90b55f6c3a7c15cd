-- Who may do what: keys, the members of each ledger, and the audit of their changes (docs/adr/0019).

SET LOCAL ROLE stet_owner;

ALTER TABLE stet.instance ADD COLUMN pepper_check bytea;
COMMENT ON COLUMN stet.instance.pepper_check IS
    'By what a process knows that its pepper is the one that the digests of the keys were made with.';

CREATE TABLE stet.key (
    key_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    scope text COLLATE "C" NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT key_pk PRIMARY KEY (key_id),
    CONSTRAINT key_scope CHECK (scope IN ('reader', 'contributor', 'editor', 'admin', 'owner'))
) WITH (fillfactor = 70);
COMMENT ON TABLE stet.key IS 'Who asks. The scope is the highest role that the key may use anywhere.';
CREATE INDEX key_maker ON stet.key (created_by, key_id);

CREATE TABLE stet.key_secret (
    key_id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    CONSTRAINT key_secret_pk PRIMARY KEY (key_id, digest),
    CONSTRAINT key_secret_key FOREIGN KEY (key_id) REFERENCES stet.key
);
COMMENT ON TABLE stet.key_secret IS
    'HMACs of the texts of a key, under a pepper that is not in the database; two at most, while one replaces another.';

CREATE TABLE stet.member (
    ledger_id uuid NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    CONSTRAINT member_pk PRIMARY KEY (ledger_id, key_id),
    CONSTRAINT member_key FOREIGN KEY (key_id) REFERENCES stet.key,
    CONSTRAINT member_role CHECK (role IN ('reader', 'contributor', 'editor', 'admin'))
);
COMMENT ON TABLE stet.member IS 'The role of each key in each ledger; the lesser of it and the key''s scope counts.';
CREATE INDEX member_ledgers ON stet.member (key_id, ledger_id);

CREATE TABLE stet.audit (
    position bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    ledger_id uuid,
    action text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    detail json NOT NULL,
    CONSTRAINT audit_pk PRIMARY KEY (position)
);
COMMENT ON TABLE stet.audit IS 'Every change of keys and members. Append-only: by grants, by triggers that always fire, and by one function.';
CREATE INDEX audit_ledger ON stet.audit (ledger_id, position);

CREATE TRIGGER audit_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stet.audit
    FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_change();
ALTER TABLE stet.audit ENABLE ALWAYS TRIGGER audit_refuse_change;

-- Positions are dense, and in the order of the commits: whoever writes holds the table until its transaction ends.
CREATE FUNCTION stet.add_audit(
    p_actor text, p_ledger_id uuid, p_action text, p_subject text, p_detail json
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_position bigint;
BEGIN
    LOCK TABLE stet.audit IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO stet.audit (position, at, actor, ledger_id, action, subject, detail)
    SELECT coalesce(max(a.position), 0) + 1, greatest(clock_timestamp(), max(a.at) + interval '1 microsecond'),
           p_actor, p_ledger_id, p_action, p_subject, p_detail
    FROM (SELECT position, at FROM stet.audit ORDER BY position DESC LIMIT 1) a
    RETURNING position INTO v_position;
    RETURN v_position;
END
$$;
COMMENT ON FUNCTION stet.add_audit IS 'The one way into the audit: the next position, and the clock''s time.';
REVOKE ALL ON FUNCTION stet.add_audit FROM PUBLIC;

GRANT UPDATE (pepper_check) ON stet.instance TO stet_application;
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON stet.key TO stet_application;
GRANT SELECT, INSERT, UPDATE (expires_at), DELETE ON stet.key_secret TO stet_application;
GRANT SELECT, INSERT, UPDATE (role), DELETE ON stet.member TO stet_application;
GRANT SELECT ON stet.audit TO stet_application;
GRANT EXECUTE ON FUNCTION stet.add_audit TO stet_application;

RESET ROLE;
