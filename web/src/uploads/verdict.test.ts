import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseMs, verdict } from "./verdict.ts";

const of = (status: number, code = "", begun = true): string => verdict({ status, code }, begun);

test("whatever may pass is tried again", () => {
  for (const status of [0, 408, 409, 423, 429, 460, 500, 502, 503, 504]) assert.equal(of(status), "again", String(status));
});

test("what would fail the same way is over", () => {
  for (const status of [400, 412, 413, 415, 422, 507]) assert.equal(of(status), "over", String(status));
});

test("an upload that the server has forgotten begins anew, once it was known", () => {
  assert.equal(of(404), "anew");
  assert.equal(of(410), "anew");
  assert.equal(of(404, "", false), "over");
});

test("a session that has ended or changed is seen to first", () => {
  assert.equal(of(401), "sign-in");
  assert.equal(of(403, "csrf"), "renew");
  assert.equal(of(403, "other"), "over");
});

test("pauses double up to twenty seconds, unless the server says how long", () => {
  assert.deepEqual([0, 1, 2, 10].map((failures) => pauseMs(failures, null)), [500, 1000, 2000, 20_000]);
  assert.equal(pauseMs(3, 7), 7000);
});
