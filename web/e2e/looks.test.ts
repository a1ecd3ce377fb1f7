import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SOON, assertAccessible, card, choose, open, person, ready, signIn } from "./browser.ts";
import { Cable } from "./cable.ts";
import { Clips } from "./clips.ts";
import { System } from "./system.ts";

/** A phone, a tablet, a desk. */
const WIDTHS = [360, 768, 1280];

const HOUR_S = 3600;

const MOST_BYTES_BEFORE_USE = 100_000;

const shots = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
mkdirSync(shots, { recursive: true });

let system: System;
let cable: Cable;
let browser: Browser;
const clips = new Clips();

before(async () => {
  browser = await open();
  system = await System.started({ DECANT_ANNOUNCED_PER_PERSON: "1" });
  cable = await Cable.to(system.port);
});
after(async () => {
  await browser?.close();
  await cable?.close();
  await system?.stop();
  clips.gone();
});

test("it can be used after less than 100 KB, and nothing of it moves by itself", async () => {
  const context = await person(browser);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  let bytes = 0;
  network.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await network.send("Network.enable");
  await page.addInitScript(() => {
    Object.assign(window, { moved: 0 });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[]) {
        if (!entry.hadRecentInput) (window as unknown as { moved: number }).moved += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await signIn(page, system.address);
  await page.getByRole("button", { name: "Choose files" }).waitFor();
  await page.waitForLoadState("networkidle");
  console.log(`bytes before use: ${bytes}`);
  assert.ok(bytes > 10_000 && bytes < MOST_BYTES_BEFORE_USE, `${bytes} bytes`);
  const moved = await page.evaluate(() => (window as unknown as { moved: number }).moved);
  assert.ok(moved < 0.01, `layout shift ${moved}`);
  await context.close();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`in ${colorScheme}, every state fits every screen, and axe finds nothing wrong with it`, async () => {
    const context = await person(browser, { colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.goto(`${cable.address}/`);
    await page.getByLabel("Email").waitFor();
    await look(page, `${colorScheme}-sign-in`);
    await signIn(page, cable.address);
    await look(page, `${colorScheme}-empty`);

    const theme = colorScheme === "light" ? "Morning" : "Evening";
    await choose(page, [clips.talk(`${theme} talk.mp4`, 200), clips.silent(`${theme} postcard.mp4`)]);
    await ready(page, `${theme} talk`);
    await card(page, `${theme} postcard`).getByText("no sound track").waitFor(SOON);
    await choose(page, [clips.talk(`${theme} lecture.mp4`, 5 * HOUR_S)]);
    await card(page, `${theme} lecture`).getByText(/Converting/).waitFor(SOON);
    await choose(page, [clips.talk(`${theme} closing.mp4`, 600)]);
    await card(page, `${theme} closing`).getByText(/Waiting/).waitFor(SOON);
    cable.hold(10_000_000);
    await choose(page, [clips.large(`${theme} concert.mkv`, 40_000_000)]);
    await card(page, `${theme} concert`).getByText(/Uploading [1-9]\d?\s%/).waitFor(SOON);
    await look(page, `${colorScheme}-cards`);
    cable.mend();

    await card(page, `${theme} talk`).getByRole("button", { name: "Convert again with other options" }).click();
    await page.getByRole("dialog").getByText("More").click();
    await look(page, `${colorScheme}-options`);
    await page.keyboard.press("Escape");
    await card(page, `${theme} talk`).getByRole("button", { name: "Delete" }).click();
    await look(page, `${colorScheme}-delete`);
    await empty(context);
  });
}

test("below a base path it works the same", async () => {
  const below = await System.started({ DECANT_BASE_PATH: "/decant" });
  try {
    const context = await person(browser);
    const page = await context.newPage();
    await signIn(page, below.address);
    await choose(page, [clips.talk("Below.mp4", 3)]);
    await ready(page, "Below");
    await context.close();
  } finally {
    await below.stop();
  }
});

/** Takes pictures at every width, and has axe look. */
async function look(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(over <= 0, `${name} is wider than ${width} px`);
    await page.screenshot({ path: `${shots}${name}-${width}.png`, fullPage: !name.endsWith("options") });
    await assertAccessible(page);
  }
}

/** Deletes every job, so that the next ones find what these found. */
async function empty(context: BrowserContext): Promise<void> {
  await context.close();
  for (const { id } of await system.jobs()) await system.call(`/jobs/${id}`, { method: "DELETE" });
}

