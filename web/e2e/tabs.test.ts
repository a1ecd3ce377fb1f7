import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { SOON, card, choose, open, person, ready, signIn } from "./browser.ts";
import { Clips } from "./clips.ts";
import { EMAIL, PASSWORD, System } from "./system.ts";
import { until } from "./until.ts";

let system: System;
let browser: Browser;
let context: BrowserContext;
let one: Page;
let other: Page;
const clips = new Clips();

before(async () => {
  browser = await open();
  system = await System.started();
  context = await person(browser);
  [one, other] = [await context.newPage(), await context.newPage()];
  await signIn(one, system.address);
  await other.goto(`${system.address}/`);
  await other.getByRole("heading", { name: "Drop videos here" }).waitFor();
});
after(async () => {
  await browser?.close();
  await system?.stop();
  clips.gone();
});

test("what is uploaded in one tab becomes ready in the other, too", async () => {
  await choose(one, [clips.talk("Shared.mp4", 300)]);
  await card(other, "Shared").waitFor(SOON);
  await Promise.all([ready(one, "Shared"), ready(other, "Shared")]);
});

test("a new title and a deletion are seen in the other tab", async () => {
  await card(one, "Shared").getByRole("button", { name: "Rename" }).click();
  await one.getByRole("textbox", { name: "Title" }).fill("Renamed");
  await one.keyboard.press("Enter");
  await card(other, "Renamed").waitFor(SOON);
  await card(other, "Renamed").getByRole("button", { name: "Delete" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await card(one, "Renamed").waitFor({ state: "detached", ...SOON });
});

test("one tab listens for all, and another goes on when it is closed", async () => {
  const third = await context.newPage();
  const listening = new Set<Request>();
  const isStream = (request: Request): boolean => request.url().endsWith("/jobs/events");
  context.on("request", (request) => void (isStream(request) && listening.add(request)));
  context.on("requestfinished", (request) => listening.delete(request));
  context.on("requestfailed", (request) => listening.delete(request));
  await third.goto(`${system.address}/`);
  await third.getByRole("heading", { name: "Drop videos here" }).waitFor();

  const pages = [one, other, third];
  await choose(one, [clips.talk("Heard.mp4", 3 * 3600)]);
  for (const page of pages) await card(page, "Heard").getByText(/Converting [1-9]/).waitFor(SOON);
  await until("one of them listens", SOON.timeout, async () => listening.size === 1);
  const [stream] = listening;
  assert.ok(stream);
  const leader = stream.frame().page();
  const rest = pages.filter((page) => page !== leader);
  const [first, second] = rest;
  assert.ok(first && second && rest.length === 2);
  await leader.close();
  listening.delete(stream); // of a page that is gone nobody tells what became of its requests

  const before = await progress(first);
  for (const page of rest) await until("it goes on", 20_000, async () => (await progress(page)) > before);
  await until("one of them listens", 20_000, async () => listening.size === 1);
  await card(first, "Heard").getByRole("button", { name: "Cancel" }).click();
  await card(second, "Heard").waitFor({ state: "detached", ...SOON });
  [one, other] = [first, second];
});

/** How far the conversion of `Heard` is, as a tab shows it; 0 before. */
async function progress(page: Page): Promise<number> {
  const [, percent] = /Converting (\d+)/.exec(await card(page, "Heard").innerText()) ?? [];
  return Number(percent ?? 0);
}

test("whoever signs in anew in one tab can go on in the other", async () => {
  await choose(one, [clips.talk("Kept.mp4", 3)]);
  await ready(one, "Kept");
  await context.clearCookies();
  await other.reload();
  await other.getByLabel("Email").fill(EMAIL);
  await other.getByLabel("Password").fill(PASSWORD);
  await other.getByRole("button", { name: "Sign in" }).click();
  await ready(other, "Kept");
  await card(one, "Kept").getByRole("button", { name: "Delete" }).click();
  await one.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await card(one, "Kept").waitFor({ state: "detached", ...SOON });
});

test("signing out in one tab asks in the other", async () => {
  await other.getByRole("button", { name: "Sign out" }).click();
  await other.getByRole("button", { name: "Sign in" }).waitFor();
  await one.getByRole("dialog", { name: "Sign in again" }).waitFor(SOON);
});
