import assert from "node:assert/strict";
import { test } from "node:test";
import { asMetadata, parseTime, summary, writeTime } from "./options.ts";

test("times are read as the server reads them", () => {
  assert.equal(parseTime("90.5"), 90.5);
  assert.equal(parseTime(" 1:30 "), 90);
  assert.equal(parseTime("1:02:03.5"), 3723.5);
  assert.equal(parseTime("0:02,5"), 2.5);
});

test("what is no time is not taken for one", () => {
  for (const text of ["", "soon", "1:60", "1:2:3:4", "-1", "1.5:30", ":30", "1:", "1e3"]) assert.equal(parseTime(text), null, text);
});

test("a time that is written is read back", () => {
  for (const [seconds, text] of [
    [0, "0:00"],
    [2.5, "0:02.5"],
    [59.999, "1:00"],
    [90.05, "1:30.05"],
    [3723.5, "1:02:03.5"],
  ] as const) {
    assert.equal(writeTime(seconds), text);
    assert.ok(Math.abs((parseTime(text) ?? NaN) - seconds) <= 0.005);
  }
});

test("options are summed up in the order in which they are asked for", () => {
  assert.equal(summary({}), "");
  assert.equal(summary({ quality: "320k", start: 90, loudness: -16, mono: true }), "320 kb/s, from 1:30, −16 LUFS, mono");
  assert.equal(summary({ quality: "v0", start: 1, end: 2, track: "en", title: "A talk" }), "V0, 0:01 to 0:02, track en, own tags");
});

test("an upload's metadata are texts", () => {
  assert.deepEqual(asMetadata({ quality: "v0", start: 1.5, mono: true }), { quality: "v0", start: "1.5", mono: "true" });
});
