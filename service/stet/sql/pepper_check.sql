-- By what a process knows the right pepper; null: there was no key yet.
SELECT pepper_check FROM stet.instance
