-- Ends live rows of a projection's table.
UPDATE {table} h SET to_position = r.to_position
FROM json_populate_recordset(NULL::{table}, %(rows)s::json) r
WHERE h.ledger_id = %(ledger_id)s AND h.to_position = 9223372036854775807 AND {same}
