"""What pyeventsourcing appends, its database functions on: `eventsourcing_append.py URL WRITERS SECONDS`.

Each writer is a thread, as the library has it, and each append one event of a new aggregate. The last line says how
many a second, and the p50 and p99 in ms.
"""

import json
import sys
import threading
import time
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

url, writers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
payload = json.dumps({"title": "x" * 500, "kind": "shootdown", "tags": ["a", "b"]}).encode()
where = conninfo_to_dict(url)
datastore = PostgresDatastore(
    dbname=where["dbname"],
    host=where.get("host", "127.0.0.1"),
    port=where.get("port", 5432),
    user=where["user"],
    password=where.get("password", ""),
    pool_size=writers,
    enable_db_functions=True,
)
recorder = PostgresApplicationRecorder(datastore)
recorder.create_table()


def write(until: float, took: list[float]) -> None:
    """Appends one event after the other."""
    while (began := time.perf_counter()) < until:
        event = StoredEvent(originator_id=uuid4(), originator_version=1, topic="incident-opened", state=payload)
        recorder.insert_events([event])
        took.append(time.perf_counter() - began)


def run(for_seconds: float) -> list[float]:
    """How long each append took, shortest first."""
    took: list[list[float]] = [[] for _ in range(writers)]
    until = time.perf_counter() + for_seconds
    threads = [threading.Thread(target=write, args=(until, its)) for its in took]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(one for its in took for one in its)


run(0.3)
found = run(seconds)
datastore.close()
p50, p99 = (found[int(len(found) * share)] * 1000 for share in (0.5, 0.99))
print(json.dumps({"rate": len(found) / seconds, "p50": p50, "p99": p99}))
