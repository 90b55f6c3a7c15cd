-- Notes public keys before they sign.
INSERT INTO stet.signing_key (public_key) SELECT unnest(%(public_keys)s::bytea[]) ON CONFLICT DO NOTHING
