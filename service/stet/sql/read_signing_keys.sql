-- The public keys that checkpoints were ever signed with, and until when; null: still.
SELECT public_key, until FROM stet.signing_key ORDER BY since DESC, public_key
