import type { Problem } from "../api.ts";

/**
 * What becomes of an upload after a failure:
 * - `again`, from where the server is, after a pause
 * - `renew` what proves that the call is ours, then again
 * - `sign-in` first
 * - `anew`, from its first byte: the server has forgotten it
 * - `over`: another try would fail the same way
 */
export type Verdict = "again" | "renew" | "sign-in" | "anew" | "over";

/** `begun` says whether the server has named the upload already. */
export function verdict(problem: Pick<Problem, "status" | "code">, begun: boolean): Verdict {
  const { status, code } = problem;
  if (status === 401) return "sign-in";
  if (code === "csrf") return "renew";
  if (begun && (status === 404 || status === 410)) return "anew";
  if (status === 507) return "over";
  // Out of step, locked by a request that the server still holds for alive, a broken piece, too much at once.
  if ([408, 409, 423, 429, 460].includes(status)) return "again";
  return status < 400 || status >= 500 ? "again" : "over";
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;

/** How long to wait after so many failures in a row: twice as long each time, unless the server says. */
export function pauseMs(failures: number, retryAfterS: number | null): number {
  if (retryAfterS !== null) return retryAfterS * 1000;
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}
