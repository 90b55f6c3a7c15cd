-- Ends every key but those that are left.
UPDATE stet.signing_key SET until = clock_timestamp() WHERE until IS NULL AND public_key <> ALL (%(left)s::bytea[])
