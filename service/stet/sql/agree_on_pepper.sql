-- Keeps the check of the first pepper; gives the one that is kept. Whoever makes a first key waits here for the others.
UPDATE stet.instance SET pepper_check = coalesce(pepper_check, %(check)s) RETURNING pepper_check
