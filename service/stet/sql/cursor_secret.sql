-- The key that signs cursors.
SELECT cursor_secret FROM stet.instance
