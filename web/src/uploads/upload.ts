import { Upload as Tus, type DetailedError } from "tus-js-client";
import { Problem, csrfHeader, renewCsrfToken, signedOut } from "../api.ts";
import { asMetadata } from "../options.ts";
import { release } from "./claim.ts";
import { Pace } from "./pace.ts";
import { forget, remember, type Remembered } from "./remembered.ts";
import type { Phase, Sending } from "./sending.ts";
import { pauseMs, verdict } from "./verdict.ts";

/** A request's worth: small enough for the time that proxies give to one. */
const CHUNK_BYTES = 32 * 1024 * 1024;

/** A connection on which nothing moves for so long is gone, whatever the browser believes: a laptop slept. */
const STALLED_MS = 45_000;

/** How often is looked. Much more than that between two looks, and the machine slept. */
const LOOK_MS = 5_000;

/** One file on its way to the server, by tus: it goes on where the server says that it is. */
export class Upload implements Sending {
  phase: Phase = "queued";
  sent = 0;
  problem: Problem | null = null;
  readonly #pace = new Pace();
  #tus: Tus | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #movedAt = 0;

  constructor(
    readonly record: Remembered,
    public file: File | null,
    private readonly changed: (upload: Upload) => void,
  ) {}

  get name(): string {
    return this.record.name;
  }

  get size(): number {
    return this.record.size;
  }

  get jobId(): string | null {
    return this.record.url?.split("/").at(-1) ?? null;
  }

  get leftS(): number | null {
    return this.phase === "sending" ? this.#pace.leftS(this.size, Date.now()) : null;
  }

  /** Whether this is the file that it needs. */
  fits(file: File): boolean {
    const { name, size, lastModified } = this.record;
    return file.name === name && file.size === size && file.lastModified === lastModified;
  }

  /** Sends what the server doesn't have yet. */
  async start(): Promise<void> {
    this.#halt();
    this.problem = null;
    this.#pace.forget();
    this.#become("sending");
    const file = await this.#readable();
    if (this.phase !== "sending") return; // cancelled meanwhile
    if (!file) return this.#become("needs-file");
    this.file = file;
    this.#send(file);
  }

  /** Goes on now where it waits for better times. */
  wake(): void {
    if (this.phase === "lost") void this.start();
  }

  /** Stops for good. What the server has of it stays until somebody deletes it. */
  async stop(): Promise<void> {
    this.#halt();
    this.phase = "failed";
    release(this.record.key);
    await forget(this.record.key);
  }

  #send(file: File): void {
    const { url, name, options } = this.record;
    const target = url ? { uploadUrl: url } : { endpoint: new URL("files", document.baseURI).href };
    const tus = new Tus(file, {
      ...target,
      metadata: { filename: name, ...asMetadata(options) },
      chunkSize: CHUNK_BYTES,
      retryDelays: null, // we know better than it what is worth another try
      storeFingerprintForResuming: false, // `remembered` does it, with the file's handle
      onBeforeRequest: (request) => {
        for (const [name, value] of Object.entries(csrfHeader())) request.setHeader(name, value);
      },
      onUploadUrlAvailable: () => {
        this.record.url = tus.url;
        void remember(this.record);
      },
      onProgress: (sent) => this.#moved(sent),
      onSuccess: () => this.#succeed(),
      onError: (error) => void this.#fail(error),
    });
    this.#tus = tus;
    this.#movedAt = Date.now();
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
    tus.start();
  }

  /** The file, if it can be read: it may be gone, or not be the same any more. */
  async #readable(): Promise<File | null> {
    try {
      const file = this.file ?? (await this.record.handle?.getFile()) ?? null;
      await file?.slice(0, 1).arrayBuffer();
      return file && this.fits(file) ? file : null;
    } catch {
      return null;
    }
  }

  #moved(sent: number): void {
    if (this.phase !== "sending") return;
    if (sent > this.sent) this.#failures = 0;
    this.#movedAt = Date.now();
    this.sent = sent;
    this.#pace.note(sent, this.#movedAt);
    this.changed(this);
  }

  #succeed(): void {
    this.#halt();
    this.sent = this.size;
    void forget(this.record.key);
    release(this.record.key);
    this.#become("done");
  }

  async #fail(error: Error | DetailedError): Promise<void> {
    if (this.phase !== "sending") return;
    const problem = problemOf(error); // at once: a request that is halted forgets what was answered
    this.#halt();
    switch (verdict(problem, this.record.url !== null)) {
      case "again":
        return this.#lose(problem, pauseMs(this.#failures++, problem.retryAfterS));
      case "renew":
        return (await renewCsrfToken().catch(() => false)) ? this.start() : this.#lose(problem, pauseMs(this.#failures++, null));
      case "sign-in":
        this.#lose(problem, null);
        return signedOut();
      case "anew":
        this.record.url = null;
        this.sent = 0;
        return this.start();
      case "over":
        this.problem = problem;
        void forget(this.record.key);
        return this.#become("failed");
    }
  }

  #lose(problem: Problem, pause: number | null): void {
    this.problem = problem;
    this.#become("lost");
    if (pause !== null) this.#timer = setTimeout(() => this.wake(), pause);
  }

  #look(): void {
    if (Date.now() - this.#movedAt > STALLED_MS) void this.start();
  }

  #halt(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    void this.#tus?.abort();
    this.#tus = null;
  }

  #become(phase: Phase): void {
    this.phase = phase;
    this.changed(this);
  }
}

function problemOf(error: Error | DetailedError): Problem {
  const answer = "originalResponse" in error ? error.originalResponse : null;
  if (!answer) return Problem.unreachable();
  return Problem.read(answer.getStatus(), answer.getBody(), answer.getHeader("Retry-After"));
}
