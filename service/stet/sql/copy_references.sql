-- Brings what streams of a log that is restored have to do with others; a row may come twice.
COPY pg_temp.restored_reference (ledger_id, target, stream, role) FROM STDIN
