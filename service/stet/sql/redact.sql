-- Erases payloads, each by the redaction at the position beside it.
SELECT stet.redact(%(ledger_id)s, %(positions)s::bigint[], %(redacted_by)s::bigint[], %(payloads)s::text[],
                   %(salts)s::bytea[])
