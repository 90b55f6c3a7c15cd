-- How far a data set has been published at a position, as an audience sees it: its last numbered line, and the latest time of a line.
SELECT (
    SELECT s.record_seq
    FROM stet.statement_history s
    WHERE s.ledger_id = %(ledger_id)s AND s.speaker = %(source_id)s AND s.record_seq IS NOT NULL
      AND s.audience IN ('all', %(audience)s) AND s.from_position <= %(position)s AND s.to_position > %(position)s
    ORDER BY s.record_seq DESC
    LIMIT 1
), (
    SELECT s.said_latest
    FROM stet.statement_history s
    WHERE s.ledger_id = %(ledger_id)s AND s.speaker = %(source_id)s AND s.record_key IS NOT NULL
      AND s.audience IN ('all', %(audience)s) AND s.from_position <= %(position)s AND s.to_position > %(position)s
    ORDER BY s.said_latest DESC
    LIMIT 1
)
