-- Adds rows to a projection's table.
INSERT INTO {table}
SELECT r.* FROM json_populate_recordset(NULL::{table}, %(rows)s::json) r
