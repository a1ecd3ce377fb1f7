import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "./jobs/job.ts";
import { Shelf } from "./shelf.ts";
import type { Sending } from "./uploads/sending.ts";

const A = "a".repeat(24);
const B = "b".repeat(24);
const C = "c".repeat(24);

function job(id: string, version: number, state: Job["state"] = "converting"): Job {
  return { id, version, state } as Job;
}

function sending(jobId: string | null, phase: Sending["phase"] = "sending"): Sending {
  return { jobId, phase } as Sending;
}

function shelf(): Shelf {
  return new Shelf(
    () => {},
    () => {},
  );
}

const ids = ({ entries }: Shelf): (string | undefined)[] => entries.map((entry) => entry.job?.id ?? entry.key);

test("jobs are newest first, whoever tells about them", () => {
  const all = shelf();
  all.take(job(B, 1));
  all.takeNewest({ jobs: [job(C, 1), job(B, 1), job(A, 1)], next: null }, new Set());
  assert.deepEqual(ids(all), [C, B, A]);
});

test("an answer that was overtaken takes no job back", () => {
  const all = shelf();
  all.take(job(A, 2, "ready"));
  all.takeNewest({ jobs: [job(A, 1, "converting")], next: null }, new Set([A]));
  assert.equal(all.entries[0]?.job?.state, "ready");
});

test("a job that moves up in the queue is the same version still", () => {
  const all = shelf();
  all.take({ ...job(A, 1, "queued"), jobs_ahead: 2 });
  all.take({ ...job(A, 1, "queued"), jobs_ahead: 1 });
  assert.equal(all.entries[0]?.job?.jobs_ahead, 1);
});

test("a job that was deleted doesn't come back by a late answer", () => {
  const all = shelf();
  all.take(job(A, 1));
  all.drop(A);
  all.take(job(A, 2));
  assert.deepEqual(ids(all), []);
});

test("a job that another tab has deleted leaves with the next page", () => {
  const all = shelf();
  for (const id of [A, B, C]) all.take(job(id, 1));
  all.takeNewest({ jobs: [job(C, 1), job(A, 1)], next: null }, all.jobIds);
  assert.deepEqual(ids(all), [C, A]);
});

test("a job older than the page stays, and so does one that came while the page was on its way", () => {
  const all = shelf();
  all.take(job(A, 1));
  const known = all.jobIds;
  all.take(job(C, 1));
  all.takeNewest({ jobs: [job(B, 1)], next: B }, known);
  assert.deepEqual(ids(all), [C, B, A]);
});

test("what is unfinished and older than the page has to be asked for", () => {
  const all = shelf();
  for (const each of [job(A, 1), job(B, 1, "ready"), job(C, 1)]) all.take(each);
  assert.deepEqual(all.unfinishedBelow({ jobs: [job(C, 1)], next: C }), [A]);
});

test("a job takes the place of its upload", () => {
  const all = shelf();
  all.take(job(A, 1));
  all.begin("mine", sending(B, "done"));
  all.take(job(B, 1));
  assert.deepEqual(
    all.entries.map(({ key, job }) => [key, job?.id]),
    [
      ["mine", B],
      [A, A],
    ],
  );
});

test("an upload that the server hasn't named yet stays on top", () => {
  const all = shelf();
  all.begin("mine", sending(null));
  all.take(job(A, 1));
  assert.deepEqual(ids(all), ["mine", A]);
});

test("there is something to listen for while a job is unfinished or an upload's job isn't there", () => {
  const all = shelf();
  all.take(job(A, 1, "ready"));
  assert.equal(all.isWaiting, false);
  all.begin("mine", sending(B, "done"));
  assert.equal(all.isWaiting, true);
  all.take(job(B, 1, "failed"));
  assert.equal(all.isWaiting, false);
  all.take(job(B, 2, "queued"));
  assert.equal(all.isWaiting, true);
});

test("an upload whose job was cancelled elsewhere isn't waited for without end", () => {
  const all = shelf();
  all.begin("mine", sending(B, "done"));
  all.takeNewest({ jobs: [], next: null }, all.jobIds);
  assert.equal(all.isWaiting, false);
  assert.deepEqual(ids(all), []);
});
