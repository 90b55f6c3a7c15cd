-- Tamper evidence: the tree over each log, and who signs it (docs/proofs.md, docs/adr/0024).
SET LOCAL ROLE stet_owner;

CREATE TABLE stet.node (
    ledger_id uuid NOT NULL,
    level smallint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT node_pk PRIMARY KEY (ledger_id, level, index),
    CONSTRAINT node_level CHECK (level BETWEEN 1 AND 7),
    CONSTRAINT node_index CHECK (index >= 0),
    CONSTRAINT node_hash CHECK (octet_length(hash) = 32)
);
COMMENT ON TABLE stet.node IS
    'The Merkle tree over the leaves of a log: the root of each full subtree of 256^level leaves, by its number from 0.';

CREATE TABLE stet.signed_checkpoint (
    ledger_id uuid NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT signed_checkpoint_pk PRIMARY KEY (ledger_id, size),
    CONSTRAINT signed_checkpoint_size CHECK (size > 0),
    CONSTRAINT signed_checkpoint_root CHECK (octet_length(root) = 32)
);
COMMENT ON TABLE stet.signed_checkpoint IS 'Every checkpoint that was signed: the root over the first `size` leaves, as a C2SP signed note.';

CREATE TABLE stet.signing_key (
    public_key bytea NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    until timestamptz,
    CONSTRAINT signing_key_pk PRIMARY KEY (public_key),
    CONSTRAINT signing_key_ed25519 CHECK (octet_length(public_key) = 32)
);
COMMENT ON TABLE stet.signing_key IS 'The public keys that checkpoints were ever signed with. No private key is in the database.';

-- ALWAYS: they fire under session_replication_role = replica, too.
CREATE TRIGGER node_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stet.node
    FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_change();
CREATE TRIGGER signed_checkpoint_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stet.signed_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_change();
CREATE TRIGGER signing_key_refuse_change BEFORE UPDATE OF public_key, since OR DELETE OR TRUNCATE ON stet.signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION stet.refuse_change();
ALTER TABLE stet.node ENABLE ALWAYS TRIGGER node_refuse_change;
ALTER TABLE stet.signed_checkpoint ENABLE ALWAYS TRIGGER signed_checkpoint_refuse_change;
ALTER TABLE stet.signing_key ENABLE ALWAYS TRIGGER signing_key_refuse_change;

CALL stet.keep_apart('stet.node');
CALL stet.keep_apart('stet.signed_checkpoint');

GRANT SELECT ON stet.node, stet.signed_checkpoint, stet.signing_key TO stet_application, stet_reader, stet_worker;
GRANT INSERT ON stet.node, stet.signed_checkpoint, stet.signing_key TO stet_worker;
GRANT UPDATE (until) ON stet.signing_key TO stet_worker;

RESET ROLE;
