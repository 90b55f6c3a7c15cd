-- Asks for a rebuild, unless one of the same projection has not ended.
INSERT INTO stet.rebuild (rebuild_id, projection, version, workers, verify_only, accept_differences)
VALUES (%(rebuild_id)s, %(projection)s, %(version)s, %(workers)s, %(verify_only)s, %(accept_differences)s)
ON CONFLICT DO NOTHING
