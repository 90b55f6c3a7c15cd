// What Emmett appends in some seconds: `append.mjs URL WRITERS SECONDS`. Each append is one event of a new stream. The
// last line says how many a second, and the p50 and p99 in ms.

import { randomUUID } from "node:crypto";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";

const [url, writers, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const data = { title: "x".repeat(500), kind: "shootdown", tags: ["a", "b"] };
const store = getPostgreSQLEventStore(url);

const write = async (until, took) => {
  for (let began; (began = performance.now()) < until; ) {
    await store.appendToStream(`incident-${randomUUID()}`, [{ type: "incident-opened", data }], {
      expectedStreamVersion: "STREAM_DOES_NOT_EXIST",
    });
    took.push(performance.now() - began);
  }
};

const run = async (forSeconds) => {
  const took = [];
  const until = performance.now() + forSeconds * 1000;
  await Promise.all(Array.from({ length: writers }, () => write(until, took)));
  return took.sort((a, b) => a - b);
};

await run(0.5);
const took = await run(seconds);
await store.close();
const at = (share) => took[Math.floor(took.length * share)];
console.log(JSON.stringify({ rate: took.length / seconds, p50: at(0.5), p99: at(0.99) }));
