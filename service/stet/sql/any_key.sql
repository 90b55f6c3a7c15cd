-- Whether there is, or was, any key.
SELECT EXISTS (SELECT FROM stet.key)
