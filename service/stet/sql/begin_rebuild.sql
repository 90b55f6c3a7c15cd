-- What a rebuild copies: the shares of its workers, and each log up to where it ends.
WITH worker AS (
    INSERT INTO stet.rebuild_worker (rebuild_id, worker)
    SELECT %(rebuild_id)s, n FROM generate_series(0, %(workers)s - 1) n
)
INSERT INTO stet.checkpoint (projection, ledger_id, position)
SELECT %(target)s, h.ledger_id, h.position FROM stet.head h WHERE h.position > 0
