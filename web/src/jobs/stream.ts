import type { Job } from "./job.ts";

/** What a stream of `GET /jobs/events` tells. */
export interface Listener {
  /** A stream begins: what was before it has to be asked for. */
  opened(): void;
  changed(job: Job): void;
  deleted(id: string): void;
  /** The connection broke; the browser tries to have it again. */
  lost(): void;
  /** The stream is over. Somebody has to look whether there is more to hear. */
  closed(): void;
}

/** What the tab that has the stream passes on. */
type Heard =
  | { heard: "opened" | "lost" | "closed" }
  | { heard: "changed"; job: Job }
  | { heard: "deleted"; id: string };

/** What tabs say to each other. The greater claim has the stream. */
type Said = Heard | { heard: "nothing" } | { claims: string } | { leaves: true };

/** How often the tab that has the stream says so. Browsers let timers of hidden tabs run once a minute. */
const SIGN_MS = 20_000;

/** A tab that hears nothing for so long listens itself: whoever had the stream may have crashed. */
const SILENCE_MS = 150_000;

/** Where several tabs may take over, the first one does. */
const FIRST_WITHIN_MS = 1_000;

/**
 * Hears of every change of the person's jobs, as long as one is unfinished. The browser connects again by itself where a
 * connection breaks; where the server says that there is nothing to tell (204) or can't tell (503), it doesn't.
 *
 * Of a person's tabs the one that is looked at has the stream, and passes on what it hears: over HTTP/1.1 a browser has
 * six connections to a server, and a stream keeps one.
 */
export class Stream {
  readonly #tabs: BroadcastChannel;
  #isOpen = false;
  #source: EventSource | null = null;
  #claim = "";
  #silence: ReturnType<typeof setTimeout> | undefined;
  #signs: ReturnType<typeof setInterval> | undefined;

  constructor(
    username: string,
    private readonly listener: Listener,
  ) {
    this.#tabs = new BroadcastChannel(`decant-jobs ${new URL(".", document.baseURI).href} ${username}`);
    this.#tabs.onmessage = ({ data }: MessageEvent<Said>) => this.#told(data);
    addEventListener("pagehide", () => {
      if (this.#source) this.#say({ leaves: true });
      this.#close();
    });
  }

  /** Listens, if it doesn't yet. */
  open(): void {
    if (!this.#isOpen) this.#claimIt();
  }

  /** Has the stream itself, if one is open: a tab that is looked at doesn't sleep. */
  lead(): void {
    if (this.#isOpen && !this.#source) this.#claimIt();
  }

  #claimIt(): void {
    this.#close();
    this.#isOpen = true;
    const isSeen = document.visibilityState === "visible" ? 1 : 0;
    this.#claim = `${isSeen} ${Date.now()} ${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    this.#say({ claims: this.#claim });
    this.#signs = setInterval(() => this.#say({ heard: "nothing" }), SIGN_MS);
    const source = new EventSource("jobs/events");
    this.#source = source;
    source.addEventListener("open", () => this.#hear({ heard: "opened" }));
    source.addEventListener("job", (event) => this.#hear({ heard: "changed", job: JSON.parse(event.data) as Job }));
    source.addEventListener("deleted", (event) => {
      this.#hear({ heard: "deleted", id: (JSON.parse(event.data) as { id: string }).id });
    });
    source.addEventListener("end", () => this.#hear({ heard: "closed" }));
    source.addEventListener("error", () => {
      this.#hear({ heard: source.readyState === EventSource.CLOSED ? "closed" : "lost" });
    });
  }

  #hear(heard: Heard): void {
    this.#say(heard);
    this.#tell(heard);
  }

  #told(said: Said): void {
    if (!this.#isOpen) return;
    if ("claims" in said) {
      // Of two that claim at once, one keeps it.
      if (!this.#source || said.claims > this.#claim) this.#follow();
      else this.#say({ claims: this.#claim });
    } else if ("leaves" in said) {
      this.#follow(0);
    } else if (!this.#source) {
      this.#follow();
      if (said.heard !== "nothing") this.#tell(said);
    } // else the last words of whoever had it before
  }

  #tell(heard: Heard): void {
    switch (heard.heard) {
      case "opened":
        return this.listener.opened();
      case "changed":
        return this.listener.changed(heard.job);
      case "deleted":
        return this.listener.deleted(heard.id);
      case "lost":
        return this.listener.lost();
      case "closed":
        this.#close();
        return this.listener.closed();
    }
  }

  /** Hears what another tab says, until that is silent for so long. */
  #follow(silenceMs = SILENCE_MS): void {
    this.#close();
    this.#isOpen = true;
    this.#silence = setTimeout(() => this.#claimIt(), silenceMs + Math.random() * FIRST_WITHIN_MS);
  }

  #say(said: Said): void {
    this.#tabs.postMessage(said);
  }

  #close(): void {
    clearTimeout(this.#silence);
    clearInterval(this.#signs);
    this.#source?.close();
    this.#source = null;
    this.#isOpen = false;
  }
}
