import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { SOON, card, choose, open, person, ready, signIn } from "./browser.ts";
import { Clips } from "./clips.ts";
import { EMAIL, PASSWORD, System } from "./system.ts";

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
