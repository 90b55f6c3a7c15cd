-- Records: which row of a data set each statement published. The row itself stays in the log.

SET LOCAL ROLE stet_owner;

ALTER TABLE stet.statement_history ADD COLUMN record_key text COLLATE "C", ADD COLUMN record_seq bigint;
COMMENT ON COLUMN stet.statement_history.record_key IS
    'The key of the data set''s row that the statement published, or, of a retraction, took back whole.';
COMMENT ON COLUMN stet.statement_history.record_seq IS 'The number of the line in the data set''s own log.';
-- The rows of a data set at a cut, in the order of their keys, the last line of each first.
CREATE INDEX statement_history_record ON stet.statement_history
    (ledger_id, speaker, record_key, statement_position DESC, from_position, to_position, said_latest)
    WHERE record_key IS NOT NULL;
-- How far an import has come.
CREATE INDEX statement_history_record_seq ON stet.statement_history (ledger_id, speaker, record_seq)
    WHERE record_seq IS NOT NULL;

RESET ROLE;
