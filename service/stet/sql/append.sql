-- Appends a group of commands through the one guarded function: the position before, the stale, the repeated.
SELECT o_position, o_stale, o_repeated
FROM stet.append(
    %(ledger_id)s, %(ledger_name)s,
    %(actor)b::text[], %(correlation_id)b::uuid[],
    %(key)b::text[], %(request_digest)s::bytea[], %(status)s::smallint[], %(location)b::text[],
    %(check_command)s::int[], %(check_stream)b::text[], %(check_version)s::bigint[],
    %(fanout_command)s::int[], %(fanout_target)b::text[], %(fanout_count)s::bigint[],
    %(event_command)s::int[], %(stream)b::text[], %(event_id)b::uuid[], %(type)b::text[],
    %(schema_version)s::smallint[], %(causation_id)b::uuid[], %(payload)b::text[],
    %(reference_target)b::text[], %(reference_stream)b::text[],
    %(reference_role)b::text[])
