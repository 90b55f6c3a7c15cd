-- A key.
INSERT INTO stet.key (key_id, name, scope, created_by, expires_at)
VALUES (%(key_id)s, %(name)s, %(scope)s, %(created_by)s, %(expires_at)s)
