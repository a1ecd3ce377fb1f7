/** How often is looked. */
const EVERY_MS = 50;

/** Waits until something is so, and fails with a sentence if it isn't in time. */
export async function until(what: string, limitMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
    await new Promise((next) => setTimeout(next, EVERY_MS));
  }
}
