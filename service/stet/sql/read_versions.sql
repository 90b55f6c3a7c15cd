-- By which version of its rules each projection was built.
SELECT name, version FROM stet.projection
