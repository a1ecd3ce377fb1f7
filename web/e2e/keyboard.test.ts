import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { SOON, card, open, person, ready } from "./browser.ts";
import { Clips } from "./clips.ts";
import { EMAIL, PASSWORD, System } from "./system.ts";
import { until } from "./until.ts";

/** More than any page here has places for the keyboard. */
const MOST_TABS = 40;

let system: System;
let browser: Browser;
let page: Page;
const clips = new Clips();

before(async () => {
  browser = await open();
  system = await System.started();
  page = await (await person(browser)).newPage();
});
after(async () => {
  await browser?.close();
  await system?.stop();
  clips.gone();
});

test("the whole way goes by the keyboard alone", async () => {
  await page.goto(`${system.address}/`);
  await until("the first field has the keyboard", SOON.timeout, async () => (await focused()).startsWith("Email"));
  await page.keyboard.type(EMAIL);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Drop videos here" }).waitFor();

  await tabTo("Choose files");
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles([clips.talk("By keys.mp4", 20), clips.talk("Another.mp4", 4)]);
  await Promise.all([ready(page, "By keys"), ready(page, "Another")]);

  await tabTo("Place in By keys");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("slider", { name: "Place in By keys" }).getAttribute("aria-valuetext"), "5 seconds of 20 seconds");
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Pause By keys" }).waitFor();
  await page.keyboard.press("Space");

  await tabTo("Rename", card(page, "By keys"));
  await page.keyboard.press("Enter");
  await page.keyboard.type("Renamed");
  await page.keyboard.press("Enter");
  await card(page, "Renamed").waitFor();
  assert.equal(await focused(), "Rename");

  await tabTo("Delete", card(page, "Renamed"));
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Keep it");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "Delete");
  await page.keyboard.press("Enter");
  await tabTo("Delete", page.getByRole("dialog"));
  await page.keyboard.press("Enter");
  await card(page, "Renamed").waitFor({ state: "detached" });
  assert.equal(await focused(), "Another", "the keyboard is on the card that took its place");
});

test("a screen reader hears what happens, and no percents", async () => {
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const place = document.getElementById("announcements") as HTMLElement;
    new MutationObserver((changes) => {
      for (const change of changes) for (const node of change.addedNodes) heard.push(node.textContent ?? "");
    }).observe(place, { childList: true });
  });
  await tabTo("Choose files");
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(clips.talk("Heard.mp4", 200));
  await ready(page, "Heard");
  const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  assert.equal(heard.at(-1)?.trim(), "Heard is ready.");
  assert.ok(!heard.some((words) => words.includes("%")), heard.join());
});

/** Presses Tab until a place of this name has the keyboard; within a part of the page, if one is named. */
async function tabTo(name: string, within = page.locator("body")): Promise<void> {
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    await page.keyboard.press("Tab");
    if ((await focused()) !== name) continue;
    if (await within.evaluate((element) => element.contains(document.activeElement))) return;
  }
  assert.fail(`no Tab leads to ${name}`);
}

/** The name of what has the keyboard. */
function focused(): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
    return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
  });
}
