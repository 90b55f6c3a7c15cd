-- Keeps others from changing a key until the transaction ends.
SELECT 1 FROM stet.key WHERE key_id = %(key_id)s FOR UPDATE
