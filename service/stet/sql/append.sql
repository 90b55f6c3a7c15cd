-- Appends a group of commands through the one guarded function: the position before, the stale, the repeated.
SELECT o_position, o_stale, o_repeated
FROM stet.append(
    %(ledger_id)s, %(ledger_name)s,
    %(actor)s::text[], %(correlation_id)s::uuid[],
    %(key)s::text[], %(request_digest)s::bytea[], %(status)s::smallint[], %(location)s::text[],
    %(check_command)s::int[], %(check_stream)s::text[], %(check_version)s::bigint[],
    %(fanout_command)s::int[], %(fanout_target)s::text[], %(fanout_count)s::bigint[],
    %(event_command)s::int[], %(stream)s::text[], %(event_id)s::uuid[], %(type)s::text[],
    %(schema_version)s::smallint[], %(causation_id)s::uuid[], %(payload)s::text[],
    %(reference_target)s::text[], %(reference_stream)s::text[],
    %(reference_role)s::text[])
