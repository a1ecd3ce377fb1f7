import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SOON, card, choose, open, person, ready, signIn } from "./browser.ts";
import { Cable } from "./cable.ts";
import { Clips } from "./clips.ts";
import { System } from "./system.ts";
import { until } from "./until.ts";

const HOUR_S = 3600;

let system: System;
let browser: Browser;
let cable: Cable;
let context: BrowserContext;
let page: Page;
const clips = new Clips();

before(async () => {
  browser = await open();
  system = await System.started({ DECANT_ANNOUNCED_PER_PERSON: "1" });
  cable = await Cable.to(system.port);
  context = await person(browser);
  page = await context.newPage();
  await signIn(page, cable.address);
});
after(async () => {
  await browser?.close();
  await cable?.close();
  await system?.stop();
  clips.gone();
});

test("an upload that is cancelled is gone, here and at the server", async () => {
  const created = page.waitForResponse((answer) => answer.url().endsWith("/files") && answer.status() === 201);
  cable.hold(3_000_000);
  await choose(page, [clips.large("Mistaken.mkv", 40_000_000)]);
  await card(page, "Mistaken").getByText(/Uploading [1-9]\d?\s%/).waitFor(SOON);
  await card(page, "Mistaken").getByRole("button", { name: "Cancel" }).click();
  await card(page, "Mistaken").waitFor({ state: "detached" });
  cable.mend();
  const place = (await created).headers()["location"] ?? "";
  await until("the server has forgotten it", SOON.timeout, async () => {
    const answer = await system.call(new URL(place, system.address).pathname, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
    return answer.status === 404 || answer.status === 410;
  });
  await page.reload();
  await page.getByRole("heading", { name: "Drop videos here" }).waitFor();
  assert.equal(await card(page, "Mistaken").count(), 0);
});

test("a conversion that is cancelled stops, and what waits behind it moves up", async () => {
  await choose(page, [clips.talk("Long.mp4", 3 * HOUR_S)]);
  await card(page, "Long").getByText(/Converting/).waitFor(SOON);
  await choose(page, [clips.talk("Next.mp4", 5)]);
  await card(page, "Next").getByText("Waiting, you are next").or(card(page, "Next").getByText("Waiting, 1 before you")).waitFor(SOON);
  await card(page, "Long").getByRole("button", { name: "Cancel" }).click();
  await card(page, "Long").waitFor({ state: "detached" });
  await ready(page, "Next");
  assert.deepEqual((await system.jobs()).map(({ title }) => title), ["Next"]);
});
