-- Brings events of a log that is restored.
COPY pg_temp.restored_event (
    ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at, actor, correlation_id,
    causation_id, payload, salt, payload_digest, leaf, redacted_by) FROM STDIN (FORMAT binary)
