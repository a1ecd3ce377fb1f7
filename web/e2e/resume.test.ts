import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SOON, card, choose, open, person, ready, signIn } from "./browser.ts";
import { Cable } from "./cable.ts";
import { Clips } from "./clips.ts";
import { EMAIL, PASSWORD, System } from "./system.ts";

/** Browser and cable hold some megabytes between them, which count as sent. */
const LARGE_BYTES = 40_000_000;
const PART_BYTES = 10_000_000;

let system: System;
let browser: Browser;
let cable: Cable;
let context: BrowserContext;
let page: Page;
const clips = new Clips();

before(async () => {
  browser = await open();
  system = await System.started();
});
after(async () => {
  await browser?.close();
  await system?.stop();
  clips.gone();
});
beforeEach(async () => {
  cable = await Cable.to(system.port);
  context = await person(browser);
  page = await context.newPage();
  await signIn(page, cable.address);
});
afterEach(async () => {
  await context.close();
  await cable.close();
});

test("an upload goes on where it was when the network is back", async () => {
  const offsets = await partly("Cut");
  cable.cut();
  await card(page, "Cut").getByText(/Connection lost at \d+\s%/).waitFor(SOON);
  cable.mend();
  await ready(page, "Cut");
  assert.ok(offsets.some((offset) => offset > 0), `no request went on: ${offsets}`);
});

test("an upload goes on after a reload, once its file is chosen again", async () => {
  const offsets = await partly("Reloaded");
  await page.reload();
  cable.mend();
  await card(page, "Reloaded").getByText(/Stopped at \d+\s%/).waitFor();
  await choose(page, [clips.talk("Another.mp4", 1)], "Choose file");
  await page.getByText("That is another file.").first().waitFor();
  await choose(page, [video("Reloaded")], "Choose file");
  await ready(page, "Reloaded");
  assert.ok(offsets.some((offset) => offset > 0), `no request went on: ${offsets}`);
});

test("an upload goes on after a reload by itself where the browser knows the file", async () => {
  // The picker can't be used by a program; the handle that it gives here is as real as the browser's own files.
  const base64 = (await readFile(video("Kept"))).toString("base64");
  await page.evaluate(async (base64) => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle("Kept.mkv", { create: true });
    const writable = await handle.createWritable();
    await writable.write(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
    await writable.close();
    Object.assign(window, { showOpenFilePicker: async () => [handle] });
  }, base64);
  cable.hold(PART_BYTES);
  await page.getByRole("button", { name: "Choose files" }).click();
  await card(page, "Kept").getByText(/Uploading [1-9]\d?\s%/).waitFor(SOON);
  await page.reload();
  cable.mend();
  await ready(page, "Kept");
});

test("an upload waits for somebody whose session has ended, and goes on when they are back", async () => {
  const offsets = await partly("Expired");
  await context.clearCookies();
  cable.cut();
  cable.mend();
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.waitFor(SOON);
  assert.equal(await dialog.getByLabel("Email").inputValue(), EMAIL);
  await dialog.getByLabel("Password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await ready(page, "Expired");
  assert.ok(offsets.some((offset) => offset > 0), `no request went on: ${offsets}`);
});

test("progress is followed again after the server was away", async () => {
  await choose(page, [clips.talk("Followed.mp4", 900)]);
  await card(page, "Followed").getByText(/Waiting|Converting/).waitFor(SOON);
  cable.cut();
  await page.getByText("No connection").waitFor(SOON);
  cable.mend();
  await ready(page, "Followed");
  await page.getByText("No connection").waitFor({ state: "hidden" });
});

/** A large video. Jobs of other tests must not be taken for it, so each test has its own. */
function video(title: string): string {
  return clips.large(`${title}.mkv`, LARGE_BYTES);
}

/** Uploads a large video until the cable lets no more of it pass. Gives the offsets at which requests begin. */
async function partly(title: string): Promise<number[]> {
  const offsets: number[] = [];
  page.on("request", (request) => {
    if (request.method() === "PATCH") offsets.push(Number(request.headers()["upload-offset"]));
  });
  cable.hold(PART_BYTES);
  await choose(page, [video(title)]);
  await card(page, title).getByText(/Uploading [1-9]\d?\s%/).waitFor(SOON);
  return offsets;
}
