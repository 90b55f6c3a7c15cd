-- For each ledger, a position that both the live tables of a projection and those of its rebuild have reached.
SELECT built.ledger_id, CASE WHEN %(inline)s THEN built.position ELSE least(built.position, coalesce(live.position, 0)) END
FROM stet.checkpoint built
LEFT JOIN stet.checkpoint live ON live.projection = %(name)s AND live.ledger_id = built.ledger_id
WHERE built.projection = %(target)s
