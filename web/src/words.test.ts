import assert from "node:assert/strict";
import { test } from "node:test";
import * as words from "./words.ts";

/** Tests write ordinary spaces. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

test("sizes have the unit that keeps them short", () => {
  const said = [0, 999, 1000, 5_123_000, 9_960_000, 999_600, 1_234_000_000].map((bytes) => plain(words.size(bytes)));
  assert.deepEqual(said, ["0 B", "999 B", "1.0 KB", "5.1 MB", "10 MB", "1.0 MB", "1.2 GB"]);
});

test("lengths are shown as players show them", () => {
  assert.deepEqual([0, 59.9, 225, 3723].map(words.clock), ["0:00", "0:59", "3:45", "1:02:03"]);
});

test("lengths are spoken in words", () => {
  assert.equal(words.spokenClock(3661), "1 hour 1 minute 1 second");
  assert.equal(words.spokenClock(120), "2 minutes");
  assert.equal(words.spokenClock(0.4), "0 seconds");
});

test("the time that is left gets less exact the longer it is", () => {
  const said = [0.4, 11.2, 89, 150, 7300].map((seconds) => plain(words.left(seconds)));
  assert.deepEqual(said, ["almost done", "12 s left", "89 s left", "3 min left", "2 h left"]);
});

test("what isn't over is never 100 %", () => {
  assert.deepEqual([0, 0.438, 0.9999, 1].map((part) => plain(words.percent(part))), ["0 %", "43 %", "99 %", "99 %"]);
});

test("the queue says how many are before", () => {
  assert.deepEqual([null, 0, 2].map(words.queue), ["Waiting", "Waiting, you are next", "Waiting, 2 before you"]);
});

test("a day of another year has its year", () => {
  const now = new Date("2026-11-28T12:00:00");
  assert.equal(words.day(new Date("2026-12-03T12:00:00"), now), "3 December");
  assert.equal(words.day(new Date("2027-01-03T12:00:00"), now), "3 January 2027");
});
