-- The embargoes whose moment has come, by their live rows; the oldest first.
SELECT ledger_id, kind || ':' || id, nullif(statement_id, '00000000-0000-0000-0000-000000000000'), embargo_until
FROM stet.restriction_history
WHERE to_position = 9223372036854775807 AND embargo_until <= clock_timestamp()
ORDER BY embargo_until
LIMIT 1000
