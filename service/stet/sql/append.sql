-- Appends a group of commands through the one guarded function, and keeps the rows that were foreseen of it: the
-- position before, the stale, the repeated; when the first was recorded; how many rows ended. No row at all: another
-- release keeps the projections.
SELECT a.o_position, a.o_stale, a.o_repeated, a.o_recorded_at,
       CASE WHEN %(foreseen)s AND a.o_stale IS NULL AND a.o_repeated IS NULL THEN stet.keep_rows(
           %(ledger_id)s, a.o_position, a.o_recorded_at,
           %(slices_ended)s::json, %(slices)s::json, %(statements_ended)s::json, %(statements)s::json,
           %(shown_ended)s::json, %(shown)s::json, %(names_ended)s::json, %(names)s::json,
           %(restrictions_ended)s::json, %(restrictions)s::json) END
FROM stet.hold_inline(%(ledger_id)s, %(held)s::text[], %(versions)s::int[]) held(ledger_id),
LATERAL stet.append(
    held.ledger_id, %(ledger_name)s,
    %(actor)s::text[], %(correlation_id)s::uuid[],
    %(key)s::text[], %(request_digest)s::bytea[], %(status)s::smallint[], %(location)s::text[],
    %(check_command)s::int[], %(check_stream)s::text[], %(check_version)s::bigint[],
    %(fanout_command)s::int[], %(fanout_target)s::text[], %(fanout_count)s::bigint[],
    %(event_command)s::int[], %(stream)s::text[], %(event_id)s::uuid[], %(type)s::text[],
    %(schema_version)s::smallint[], %(causation_id)s::uuid[], %(payload)s::text[],
    %(reference_target)s::text[], %(reference_stream)s::text[], %(reference_role)s::text[]) a
WHERE held.ledger_id IS NOT NULL
