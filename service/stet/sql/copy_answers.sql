-- Brings the kept answers of a log that is restored.
COPY pg_temp.restored_answer (ledger_id, actor, key, request_digest, status, location, position) FROM STDIN
