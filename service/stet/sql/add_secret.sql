-- One more text of a key.
INSERT INTO stet.key_secret (key_id, digest) VALUES (%(key_id)s, %(digest)s)
