import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { EMAIL, PASSWORD } from "./system.ts";

/** Enough for a short clip on a machine that is busy with other tests. */
export const SOON = { timeout: 60_000 };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Debian's Chromium, or the one that CHROMIUM names. Root can't have its sandbox. */
export async function open(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  const args = ["--autoplay-policy=no-user-gesture-required", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return chromium.launch({ executablePath, args });
}

/** A person's browser with nothing in it. Where its console or its policy complains, the test fails. */
export async function person(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  context.setDefaultTimeout(20_000);
  // Only Chromium has this picker, and nothing but a hand can use it. Other browsers' way is tested with it.
  await context.addInitScript(() => delete (window as { showOpenFilePicker?: unknown }).showOpenFilePicker);
  // Has choosers come to the tests from the start: a key is faster than the wish to see the next one.
  context.on("page", (page) => page.on("filechooser", () => {}));
  // tsx names functions by a function of its own, which pages don't have.
  await context.addInitScript("globalThis.__name = (named) => named");
  context.on("weberror", (error) => assert.fail(`the page threw: ${error.error().stack}`));
  context.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) assert.fail(message.text());
  });
  return context;
}

export async function signIn(page: Page, address: string): Promise<void> {
  await page.goto(`${address}/`);
  await page.getByLabel("Email").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Drop videos here" }).waitFor();
}

/** Chooses files as a person does, by the dialog of the browser. */
export async function choose(page: Page, files: string[], button = "Choose files"): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: button, exact: true }).click();
  await (await chooser).setFiles(files);
}

/** The card of a title. */
export function card(page: Page, title: string): Locator {
  return page.getByRole("article", { name: title, exact: true });
}

export async function ready(page: Page, title: string): Promise<void> {
  await card(page, title).getByRole("link", { name: "Download" }).waitFor(SOON);
}

/** Fails with what axe-core finds wrong. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe.run();
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
  assert.deepEqual(found, []);
}

interface Violation {
  id: string;
  help: string;
  nodes: { html: string }[];
}
