/**
 * Calls of Decant's HTTP API. Every address is relative to the page, which may lie below a base path.
 */

/** Why a call failed, as the server says it (RFC 9457), or `status` 0 where no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** For people. */
    readonly detail: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
  }

  /** Nobody answered: the connection is gone, or the server is. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }

  /** The session has ended. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }

  static async of(answer: Response): Promise<Problem> {
    const body = await answer.text().catch(() => "");
    return Problem.read(answer.status, body, answer.headers.get("Retry-After"));
  }

  /** Reads what an answer said. Whatever isn't problem+json (a proxy's page, say) gets a sentence of our own. */
  static read(status: number, body: string, retryAfter: string | null | undefined): Problem {
    const seconds = Number.parseInt(retryAfter ?? "", 10);
    let said: { code?: unknown; detail?: unknown } = {};
    try {
      said = JSON.parse(body);
    } catch {
      // Said below.
    }
    const code = typeof said?.code === "string" ? said.code : "unknown";
    const detail = typeof said?.detail === "string" ? said.detail : `The server answered ${status}. Try again in a while.`;
    return new Problem(status, code, detail, Number.isNaN(seconds) ? null : seconds);
  }

  static unreachable(): Problem {
    return new Problem(0, "unreachable", "Decant can't be reached. Check the connection.");
  }
}

/** Proves to the server that a call comes from this page and not from another site. `GET /session` gives it. */
let csrfToken = "";
let whenSignedOut = (): void => {};

export function useCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called when a call finds that the session has ended. */
export function onSignedOut(then: () => void): void {
  whenSignedOut = then;
}

/** What a call other than `GET` has to carry. */
export function csrfHeader(): Record<string, string> {
  return { "X-CSRF-Token": csrfToken };
}

/** Tells everybody that the session has ended. For calls that don't go by [`call`]. */
export function signedOut(): void {
  whenSignedOut();
}

/** Gives the answer if its status is 2xx, and throws a [`Problem`] otherwise. */
export async function call(method: string, path: string, more: RequestInit = {}): Promise<Response> {
  const answer = await attempt(method, path, more);
  if (answer.ok) return answer;
  let problem = await Problem.of(answer);
  // Another tab has signed in anew: then this tab's token is of the session before.
  if (problem.code === "csrf" && (await renewCsrfToken())) {
    const second = await attempt(method, path, more);
    if (second.ok) return second;
    problem = await Problem.of(second);
  }
  if (problem.isSignedOut && path !== "session") whenSignedOut();
  throw problem;
}

/** Fetches the token of the session as it is now. False if there is none. */
export async function renewCsrfToken(): Promise<boolean> {
  const answer = await attempt("GET", "session", {});
  if (!answer.ok) return false;
  const { csrf_token } = (await answer.json()) as { csrf_token: string };
  useCsrfToken(csrf_token);
  return true;
}

async function attempt(method: string, path: string, more: RequestInit): Promise<Response> {
  const headers = new Headers(more.headers);
  headers.set("Accept", "application/json");
  if (method !== "GET") headers.set("X-CSRF-Token", csrfToken);
  const request = { ...more, method, headers, credentials: "same-origin", cache: "no-store" } as const;
  return fetch(path, request).catch(() => Promise.reject(Problem.unreachable()));
}
