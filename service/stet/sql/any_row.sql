-- Whether a source has ever published a row of a data set.
SELECT EXISTS (
    SELECT FROM stet.statement_history s
    WHERE s.ledger_id = %(ledger_id)s AND s.speaker = %(source_id)s AND s.record_key IS NOT NULL)
