import { Problem, call, useCsrfToken } from "./api.ts";

/** Who is signed in. The session itself is a cookie that no script can read. */
export interface Session {
  username: string;
  admin: boolean;
}

/** The session lives for 15 minutes from its last use. */
const RENEW_EVERY_MS = 4 * 60_000;

/** The session that the browser has, or `null`. */
export async function currentSession(): Promise<Session | null> {
  try {
    return await read(await call("GET", "session"));
  } catch (problem) {
    if (problem instanceof Problem && problem.isSignedOut) return null;
    throw problem;
  }
}

export async function signIn(email: string, password: string): Promise<Session> {
  const credentials = new TextEncoder().encode(`${email}:${password}`);
  const basic = btoa(String.fromCharCode(...credentials));
  return read(await call("POST", "session", { headers: { Authorization: `Basic ${basic}` } }));
}

export async function signOut(): Promise<void> {
  await call("DELETE", "session");
}

/**
 * Keeps the session alive while the page is in use: by hand, or because `busy` says that something goes on. A stream and
 * one long upload carry no cookie on their way, so they alone would let it run out.
 */
export function keepAlive(busy: () => boolean): void {
  let used = false;
  for (const sign of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(sign, () => (used = true), { passive: true });
  }
  setInterval(() => {
    if (!used && !busy()) return;
    used = false;
    currentSession().catch(() => {}); // whoever calls next finds out
  }, RENEW_EVERY_MS);
}

async function read(answer: Response): Promise<Session> {
  const { username, admin, csrf_token } = (await answer.json()) as Session & { csrf_token: string };
  useCsrfToken(csrf_token);
  return { username, admin };
}
