import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SOON, card, choose, open, person, ready, signIn } from "./browser.ts";
import { Clips } from "./clips.ts";
import { System } from "./system.ts";
import { until } from "./until.ts";

let system: System;
let browser: Browser;
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
  context = await person(browser);
  page = await context.newPage();
  await signIn(page, system.address);
});
afterEach(() => context.close());

test("a video that is chosen becomes an MP3 by itself, and nothing on its card jumps", async () => {
  const seen = await watch(page, "A talk");
  await choose(page, [clips.talk("A talk.mp4", 400)]);
  await ready(page, "A talk");

  const { statuses, heights } = await seen();
  const all = statuses.join("\n");
  assert.match(all, /Uploading \d+ %/);
  assert.match(all, /Waiting|Uploaded|Converting/);
  assert.match(all, /6:40 · \d\.\d MB/);
  assert.equal(heights.length, 1, `heights of the card: ${heights}`);
  const [job] = await system.jobs();
  assert.equal(job?.title, "A talk");
  assert.equal(await page.title(), "Decant");
});

test("what was the progress of a card isn't taken for a place in its sound", async () => {
  await choose(page, [clips.talk("Short.mp4", 8)]);
  await ready(page, "Short");
  const look = () => card(page, "Short").locator("canvas").evaluate((wave) => (wave as HTMLCanvasElement).toDataURL());
  let before = "";
  await until("its waveform has grown", SOON.timeout, async () => before === (before = await look()));
  await page.reload();
  await ready(page, "Short");
  await until("it looks as it did", 10_000, async () => (await look()) === before);
});

test("a page on which nothing is under way leaves the server alone, so that it can go to sleep", async () => {
  await page.clock.install();
  await page.reload();
  await choose(page, [clips.talk("Brief.mp4", 5)]);
  await ready(page, "Brief");
  await page.clock.runFor("05:00"); // the last click keeps the session for a while
  await page.waitForLoadState("networkidle");
  const asked: string[] = [];
  page.on("request", (request) => void asked.push(request.url()));
  await page.clock.runFor("30:00");
  await page.evaluate(() => fetch("licences.txt")); // whatever was asked before is on the list by then
  assert.deepEqual(asked.filter((url) => !url.endsWith("licences.txt")), []);
});

test("it plays from where its waveform is touched", async () => {
  await choose(page, [clips.talk("Heard.mp4", 60)]);
  await ready(page, "Heard");
  const drawn = card(page, "Heard").getByRole("slider", { name: "Place in Heard" });
  const { width = 0 } = (await drawn.boundingBox()) ?? {};
  await drawn.click({ position: { x: width / 2, y: 20 } });
  await card(page, "Heard").getByRole("button", { name: "Play Heard" }).click();
  await until("it plays in the middle", SOON.timeout, async () => {
    const now = Number(await drawn.getAttribute("aria-valuenow"));
    return now >= 30 && now < 50 && (await card(page, "Heard").getByRole("button", { name: "Pause Heard" }).isVisible());
  });
});

test("it is downloaded under its name, and a copied link needs no account", async () => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await choose(page, [clips.talk("Grüße.mp4", 5)]);
  await ready(page, "Grüße");
  const download = page.waitForEvent("download");
  await card(page, "Grüße").getByRole("link", { name: "Download" }).click();
  const file = await download;
  assert.equal(basename(file.suggestedFilename()), "Grüße.mp3");
  const bytes = await readFile(await file.path());

  await card(page, "Grüße").getByRole("button", { name: "Copy link" }).click();
  await page.getByText(/Link copied/).first().waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const answer = await fetch(link);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "audio/mpeg");
  assert.ok(bytes.equals(Buffer.from(await answer.arrayBuffer())));
});

test("several files that are dropped become a card each, with the options that were chosen", async () => {
  await page.getByRole("button", { name: "Options", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Quality").selectOption("v6");
  await dialog.getByLabel("Start").fill("soon");
  await dialog.getByRole("button", { name: "Use these" }).click();
  await dialog.getByText("“soon” is no time").waitFor();
  await dialog.getByLabel("Start").fill("0:01");
  await dialog.getByRole("button", { name: "Use these" }).click();
  await page.getByRole("button", { name: "Options: V6, from 0:01" }).waitFor();

  const names = ["One", "Two", "Three"];
  await drop(page, names.map((name) => clips.talk(`${name}.mp4`, 4)));
  for (const name of names) await ready(page, name);
  const jobs = (await system.jobs()).filter(({ title }) => names.includes(title));
  assert.deepEqual(jobs.map(({ options }) => options), Array(3).fill({ quality: "v6", start: 1 }));
  assert.deepEqual(jobs.map(({ duration_ms }) => Math.round((duration_ms ?? 0) / 1000)), [3, 3, 3]);
});

test("an upload that is refused says why in a sentence", async () => {
  await page.getByRole("button", { name: "Options", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("More").click();
  await dialog.getByLabel("Sound track").fill("nowhere");
  await dialog.getByRole("button", { name: "Use these" }).click();
  await choose(page, [clips.talk("Refused.mp4", 2)]);
  await card(page, "Refused").getByText("Not uploaded").waitFor(SOON);
  await card(page, "Refused").getByText(/track.*nowhere/).waitFor();
  await card(page, "Refused").getByRole("button", { name: "Delete" }).click();
  await card(page, "Refused").waitFor({ state: "detached" });
});

test("a part that is chosen on the waveform is converted again", async () => {
  await choose(page, [clips.talk("Long.mp4", 40)]);
  await ready(page, "Long");
  await card(page, "Long").getByRole("button", { name: "Convert again with other options" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("slider", { name: "Start" }).focus();
  await page.keyboard.press("PageUp");
  await dialog.getByRole("slider", { name: "End" }).focus();
  await page.keyboard.press("PageDown");
  assert.equal(await dialog.getByRole("textbox", { name: "Start" }).inputValue(), "0:10");
  assert.match(await dialog.getByRole("textbox", { name: "End" }).inputValue(), /^0:(29|30)/);
  await dialog.getByRole("button", { name: "Convert again" }).click();
  await card(page, "Long").getByText(/^0:(19|20)$/).waitFor(SOON);
});

test("a video without sound says so in a sentence, can be tried again, and is deleted", async () => {
  await choose(page, [clips.silent("Still.mp4")]);
  const still = card(page, "Still");
  await still.getByText("This video has no sound track").waitFor(SOON);
  await still.getByRole("button", { name: "Try again" }).click();
  await until("it has failed a second time", SOON.timeout, async () => {
    const job = (await system.jobs()).find(({ title }) => title === "Still") as unknown as { run: number; state: string };
    return job.run === 2 && job.state === "failed";
  });
  await still.getByText("This video has no sound track").waitFor(SOON);
  await still.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await still.waitFor({ state: "detached" });
  assert.ok(!(await system.jobs()).some(({ title }) => title === "Still"));
});

test("a page that is opened later shows what was done before, with titles that can be changed", async () => {
  await choose(page, [clips.talk("Draft.mp4", 4)]);
  await ready(page, "Draft");
  await page.reload();
  await ready(page, "Draft");
  await card(page, "Draft").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Title" }).fill("Final");
  await page.keyboard.press("Enter");
  await ready(page, "Final");
  assert.ok((await system.jobs()).some(({ title }) => title === "Final"));
});

/** Notes every status and every height that the card has from now on. */
async function watch(page: Page, title: string): Promise<() => Promise<{ statuses: string[]; heights: number[] }>> {
  await page.evaluate((title) => {
    const [statuses, heights] = [new Set<string>(), new Set<number>()];
    Object.assign(window, { seen: { statuses, heights } });
    const look = (): void => {
      const card = [...document.querySelectorAll(".card")].find((each) => each.querySelector("h3")?.textContent === title);
      if (card) {
        statuses.add(card.querySelector(".status")?.textContent?.replaceAll("\u00a0", " ") ?? "");
        heights.add((card as HTMLElement).offsetHeight);
      }
      requestAnimationFrame(look);
    };
    look();
  }, title);
  return () =>
    page.evaluate(() => {
      const { seen } = window as unknown as { seen: { statuses: Set<string>; heights: Set<number> } };
      return { statuses: [...seen.statuses], heights: [...seen.heights] };
    });
}

/** Drops files onto the page as a file manager does. */
async function drop(page: Page, paths: string[]): Promise<void> {
  const files = await Promise.all(paths.map(async (path) => ({ name: basename(path), base64: (await readFile(path)).toString("base64") })));
  await page.evaluate((files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: "video/mp4" }));
    }
    for (const type of ["dragenter", "dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }, files);
}
