import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("nobody knows in the first second", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(500, 900);
  assert.equal(pace.leftS(10_000, 900), null);
});

test("the time left follows how fast it went lately", () => {
  const pace = new Pace();
  for (let second = 0; second <= 20; second += 1) pace.note(second * 100, second * 1000);
  assert.equal(pace.leftS(3_000, 20_000), 10);
  for (let second = 21; second <= 40; second += 1) pace.note(2_000 + (second - 20) * 10, second * 1000);
  assert.equal(pace.leftS(3_000, 40_000), 80);
});

test("while nothing moves the time left grows", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(1_000, 1_000);
  assert.ok((pace.leftS(2_000, 4_000) ?? 0) > (pace.leftS(2_000, 2_000) ?? Infinity));
});

test("bytes that were sent in vain don't count", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(9_000, 1_000);
  pace.note(1_000, 2_000);
  assert.equal(pace.leftS(10_000, 2_500), null);
});
