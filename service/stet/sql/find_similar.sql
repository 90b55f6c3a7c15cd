-- The incidents at a cut that may be the same as one: what happened next before and after it, what happened next to the
-- north and the south of it, and what has all words of its title.
(SELECT h.incident_id, h.opened_at, h.summary::text
 FROM stet.incident_search h
 WHERE h.ledger_id = %(ledger_id)s AND {filters}
   AND coalesce(h.occurred_order, 'infinity') >= %(occurred)s AND coalesce(h.occurred_order, 'infinity') <= %(until)s
 ORDER BY coalesce(h.occurred_order, 'infinity'), h.incident_id
 LIMIT %(most)s)
UNION ALL
(SELECT h.incident_id, h.opened_at, h.summary::text
 FROM stet.incident_search h
 WHERE h.ledger_id = %(ledger_id)s AND {filters}
   AND coalesce(h.occurred_order, 'infinity') < %(occurred)s AND coalesce(h.occurred_order, 'infinity') >= %(since)s
 ORDER BY coalesce(h.occurred_order, 'infinity') DESC, h.incident_id DESC
 LIMIT %(most)s)
UNION ALL
(SELECT h.incident_id, h.opened_at, h.summary::text
 FROM stet.incident_search h
 WHERE h.ledger_id = %(ledger_id)s AND {filters}
   AND h.latitude >= %(latitude)s AND h.latitude <= %(latitude)s::float8 + %(degrees)s
   AND stet.distance_m(h.longitude, h.latitude, %(longitude)s, %(latitude)s) <= %(near_m)s
 ORDER BY h.latitude, h.incident_id
 LIMIT %(most)s)
UNION ALL
(SELECT h.incident_id, h.opened_at, h.summary::text
 FROM stet.incident_search h
 WHERE h.ledger_id = %(ledger_id)s AND {filters}
   AND h.latitude < %(latitude)s AND h.latitude >= %(latitude)s::float8 - %(degrees)s
   AND stet.distance_m(h.longitude, h.latitude, %(longitude)s, %(latitude)s) <= %(near_m)s
 ORDER BY h.latitude DESC, h.incident_id DESC
 LIMIT %(most)s)
UNION ALL
(SELECT h.incident_id, h.opened_at, h.summary::text
 FROM stet.incident_search h
 WHERE h.ledger_id = %(ledger_id)s AND {filters} AND h.words @@ %(words)s::tsquery
 ORDER BY h.opened_at, h.incident_id
 LIMIT %(most)s)
