-- Of the texts of a key only the last stays.
DELETE FROM stet.key_secret s
WHERE s.key_id = %(key_id)s AND EXISTS (
    SELECT FROM stet.key_secret n
    WHERE n.key_id = s.key_id AND (n.created_at, n.digest) > (s.created_at, s.digest))
